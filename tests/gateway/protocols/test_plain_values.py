from typing import Any

import numpy as np
import orjson
import pytest

from gateway.core.signature import TensorSpec
from gateway.core.types import Array, InferResponse, Role
from gateway.errors import ErrorCode, GatewayError
from gateway.protocols.plain_values import columns, named, request_of, told, written

SPECS = {"a": TensorSpec("a", "FP32", (-1, 2)), "b": TensorSpec("b", "INT64", (-1,))}


def answered(**outputs: Array) -> InferResponse:
    return InferResponse("m", 1, Role.CHAMPION, outputs, "", "p")


def test_rows_become_the_columns_of_their_names() -> None:
    rows = [{"a": [1, 2], "b": 3}, {"b": 6, "a": [4, 5]}]
    assert columns(rows, SPECS) == {"a": [[1, 2], [4, 5]], "b": [3, 6]}
    assert columns([[1, 2]], {"a": SPECS["a"]}) == named([[1, 2]], {"a": SPECS["a"]}) == {"a": [[1, 2]]}


def test_a_request_has_the_types_of_the_model() -> None:
    values = {"a": [[1, 2], [4, 5]], "b": [3, 6]}
    request = request_of(values, SPECS, {"routing_key": "ann", "timeout": 10**9}, "m", "champion", "bob")
    assert (request.model, request.version, request.key) == ("m", "champion", "ann")
    assert request.deadline_ns > 0
    assert {name: (array.dtype.name, array.shape) for name, array in request.inputs.items()} == {
        "a": ("float32", (2, 2)),
        "b": ("int64", (2,)),
    }


@pytest.mark.parametrize(
    "values", [{"z": [1]}, {"a": [["x"]]}, {"a": [[1, 2], [3]]}, {"b": [1.5]}, {"b": None}]
)
def test_what_does_not_fit_the_model_is_the_callers_fault(values: Any) -> None:
    with pytest.raises(GatewayError) as refused:
        request_of(values, SPECS, {}, "m", None, "")
    assert refused.value.code is ErrorCode.INVALID


def test_an_answer_that_has_no_rows_needs_the_other_form() -> None:
    ragged = answered(a=np.zeros((2, 1)), b=np.zeros(3))
    for response in (ragged, answered(t=np.array(7))):
        with pytest.raises(GatewayError, match="send 'inputs'"):
            told(response, rows=True)
    assert orjson.loads(written(told(ragged, rows=False))) == {"a": [[0], [0]], "b": [0, 0, 0]}


@pytest.mark.parametrize(
    ("array", "values"),
    [
        (np.arange(6).reshape(2, 3).T, [[0, 3], [1, 4], [2, 5]]),
        (np.array([[b"a"], ["é".encode()]], object), [["a"], ["é"]]),
        (np.array([True, False]), [True, False]),
        (np.zeros((0, 2), np.float32), []),
    ],
)
def test_outputs_of_any_layout(array: Array, values: list[Any]) -> None:
    assert orjson.loads(written({"y": told(answered(y=array), rows=True)})) == {"y": values}
    both = orjson.loads(written({"y": told(answered(y=array, z=array), rows=True)}))
    assert both == {"y": [{"y": row, "z": row} for row in values]}
