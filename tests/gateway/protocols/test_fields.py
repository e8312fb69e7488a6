import pytest

from gateway.errors import ErrorCode, GatewayError
from gateway.protocols import fields


@pytest.mark.parametrize("name", ["m", "model..1", "a.b-c_d", "_x", "9", "m" * 255])
def test_names_that_are_taken(name: str) -> None:
    assert fields.model_name(name) == name


@pytest.mark.parametrize("name", ["", ".", "..", "../etc", "a/b", "a b", "a\0", "é", "-x", "m" * 256, "m\n"])
def test_names_that_are_refused(name: str) -> None:
    with pytest.raises(GatewayError) as caught:
        fields.model_name(name)
    assert caught.value.code is ErrorCode.INVALID


def test_versions() -> None:
    assert fields.version_named("") is None
    assert fields.version_named("12") == 12
    assert fields.version_named("champion") == "champion"
    for text in ("-1", "1e3", "1.0", "x" * 65, str(2**63), "٣", " 1", "a b", "a/b"):
        with pytest.raises(GatewayError):
            fields.version_named(text)


@pytest.mark.parametrize("body", [b"", b"[1]", b"{", b"7", b"NaN", b"\xff"])
def test_a_body_is_an_object(body: bytes) -> None:
    with pytest.raises(GatewayError):
        fields.json_object(body)


@pytest.mark.parametrize(
    "parameters", [{"a": [1]}, {"a": None}, {"shared_memory_region": "r"}, {"sequence_id": 3}]
)
def test_parameters_that_are_refused(parameters: dict[str, object]) -> None:
    with pytest.raises(GatewayError):
        fields.check_parameters(parameters)
    fields.check_parameters({"a": 1, "b": True, "c": "s", "d": 1.5})


def test_parameters_of_an_object_are_those_that_are_given() -> None:
    assert fields.parameters_in({}) == fields.parameters_in({"parameters": None}) == {}
    assert fields.parameters_in({"params": {"a": 1, "b": None}}, "params") == {"a": 1}


@pytest.mark.parametrize("wrong", [[], [1], 0, False, "", {"a": {}}])
def test_anything_but_an_object_of_scalars_is_refused(wrong: object) -> None:
    with pytest.raises(GatewayError):
        fields.parameters_in({"parameters": wrong})


@pytest.mark.parametrize("count", [-1, True, "2", 1.5])
def test_class_counts_that_are_refused(count: object) -> None:
    with pytest.raises(GatewayError):
        fields.class_count({"classification": count})


@pytest.mark.parametrize("timeout", [-1, 1.5, True, "5", 10**16])
def test_timeouts_that_are_refused(timeout: object) -> None:
    with pytest.raises(GatewayError) as caught:
        fields.deadline_after({"timeout": timeout})
    assert caught.value.code is ErrorCode.INVALID


def test_a_timeout_is_in_microseconds_and_zero_is_none() -> None:
    near, far = (fields.deadline_after({"timeout": timeout}) for timeout in (1_000, 3_600_000_000))
    assert 3_500 * 10**9 < far - near < 3_601 * 10**9
    assert fields.deadline_after({"timeout": 0}) == fields.deadline_after({}) == 0


def test_the_earlier_deadline_holds() -> None:
    assert [fields.earliest(*pair) for pair in ((0, 0), (0, 5), (5, 0), (5, 3))] == [0, 5, 5, 3]


@pytest.mark.parametrize(
    ("body", "says"),
    [
        (b"", "the body is empty"),
        (b'{"data": [NaN]}', "no NaN and no infinity, .* at character 10"),
        (b'{"data": [-Infinity]}', "no NaN and no infinity"),
        (b"{'inputs': []}", r"`json\.dumps`"),
        (b'{"a": True}', r"`json\.dumps`"),
        (b'{"a": [1,]}', "trailing comma"),
    ],
)
def test_a_body_in_another_notation_is_told_which(body: bytes, says: str) -> None:
    with pytest.raises(GatewayError, match=says):
        fields.json_object(body)
