import pytest

from gateway.core.patterns import covers


@pytest.mark.parametrize(
    ("patterns", "model", "covered"),
    [
        ((), "fraud", True),
        (("fraud",), "fraud", True),
        (("fraud",), "fraud2", False),
        (("fraud*",), "fraud2", True),
        (("spam", "fr*"), "fraud", True),
        (("spam", "fr*"), "f", False),
        (("*",), "any", True),
    ],
)
def test_names_and_prefixes(patterns: tuple[str, ...], model: str, covered: bool) -> None:
    assert covers(patterns, model) is covered
