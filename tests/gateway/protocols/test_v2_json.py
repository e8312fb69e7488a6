from typing import Any

import numpy as np
import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.errors import ErrorCode, GatewayError
from gateway.protocols.answer_form import JSON, OutputForm
from gateway.protocols.v2_json import decode

X = {"name": "x", "datatype": "FP32", "shape": [1, 2], "data": [1, 2]}
ANYTHING = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**64 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                [
                    "inputs",
                    "outputs",
                    "name",
                    "shape",
                    "datatype",
                    "data",
                    "parameters",
                    "id",
                    "binary_data_size",
                ]
            ),
            inner,
            max_size=4,
        )
    ),
    max_leaves=12,
)


def refusal(document: Any) -> ErrorCode | None:
    try:
        decode(orjson.dumps(document), "m", None)
    except GatewayError as error:
        return error.code
    return None


def test_what_a_request_holds() -> None:
    body = orjson.dumps({"id": "7", "inputs": [X], "parameters": {"routing_key": "alice", "other": 1.5}})
    request, form = decode(body, "m", 3, "header")
    assert (request.model, request.version, request.id, request.key) == ("m", 3, "7", "alice")
    assert request.inputs["x"].tolist() == [[1, 2]]
    assert request.outputs == ()
    assert form == JSON
    assert decode(orjson.dumps({"inputs": [X]}), "m", None, "header")[0].key == "header"


def test_outputs_may_each_say_how_they_are_wanted() -> None:
    outputs: list[dict[str, Any]] = [
        {"name": "a"},
        {"name": "b", "parameters": {"binary_data": False, "classification": 3}},
    ]
    body = orjson.dumps({"inputs": [X], "outputs": outputs, "parameters": {"binary_data_output": True}})
    request, form = decode(body, "m", None)
    assert request.outputs == ("a", "b")
    assert (form.of("a"), form.of("b")) == (OutputForm(True), OutputForm(False, 3))


def test_inputs_in_json_and_binary_side_by_side() -> None:
    raw = np.array([5, 6], np.float32).tobytes()
    tail = {"name": "y", "datatype": "FP32", "shape": [2], "parameters": {"binary_data_size": 8}}
    text = orjson.dumps({"inputs": [X, tail]})
    request, _ = decode(text + raw, "m", None, json_length=len(text))
    assert request.inputs["x"].tolist() == [[1, 2]]
    assert request.inputs["y"].tolist() == [5, 6]


@given(ANYTHING)
def test_any_json_is_decoded_or_refused_as_invalid(document: Any) -> None:
    assert refusal(document) in (None, ErrorCode.INVALID)


@given(st.binary(max_size=80), st.integers(0, 80))
def test_any_bytes_are_refused_as_invalid(body: bytes, length: int) -> None:
    with pytest.raises(GatewayError):
        decode(body, "m", None, json_length=min(length, len(body)))


@given(ANYTHING)
def test_any_input_is_decoded_or_refused_as_invalid(value: Any) -> None:
    for field in X:
        assert refusal({"inputs": [X | {field: value}]}) in (None, ErrorCode.INVALID)


def test_a_body_of_another_protocol_is_told_where_it_goes() -> None:
    with pytest.raises(GatewayError, match=r"'inputs' must be a list of objects, .* /v1/models/NAME:predict"):
        decode(b'{"instances": [[1]]}', "m", None)
    unknown = {"inputs": [{**X, "datatype": "float32"}]}
    with pytest.raises(GatewayError, match="'x' has the unknown datatype 'float32'; it can be one of BOOL"):
        decode(orjson.dumps(unknown), "m", None)
