import pytest

from gateway.core.alias import ALIAS, aliases


def test_two_names_follow_the_traffic_and_win_over_free_ones() -> None:
    split = ((1, 80.0), (2, 5.0), (3, 15.0), (4, 0.0))
    assert aliases({"audited": 7, "canary": 9}, 1, split) == {"audited": 7, "champion": 1, "canary": 3}
    assert aliases({"audited": 7}, 1, ((1, 100.0),)) == {"audited": 7, "champion": 1}
    assert aliases({}, 0, ()) == {}


@pytest.mark.parametrize("text", ["7", "", "-a", "a b", "a/b", "x" * 65, "é", "a\n"])
def test_no_alias_reads_like_a_number_or_a_path(text: str) -> None:
    assert ALIAS.fullmatch(text) is None
