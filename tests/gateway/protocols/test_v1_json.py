from typing import Any

import numpy as np
import orjson
import pytest

from gateway.core.signature import Signature, TensorSpec
from gateway.core.types import Array, InferResponse, Role
from gateway.errors import GatewayError
from gateway.protocols.v1_json import decode, encode

IMAGES = Signature((TensorSpec("x", "FP32", (-1, 2, 2)),), (TensorSpec("y", "FP32", (-1,)),))
SCALAR = Signature((TensorSpec("s", "INT64", ()),), (TensorSpec("t", "INT64", ()),))


def answered(**outputs: Array) -> InferResponse:
    return InferResponse("m", 1, Role.CHAMPION, outputs, "", "p")


@pytest.mark.parametrize("form", ["instances", "inputs"])
def test_the_shape_is_that_of_the_lists(form: str) -> None:
    images = np.arange(12, dtype=np.float32).reshape(3, 2, 2)
    asked, rows = decode(orjson.dumps({form: images.tolist()}), IMAGES, "m", 4)
    np.testing.assert_array_equal(asked.inputs["x"], images)
    assert (asked.inputs["x"].dtype, asked.version, rows) == (np.dtype(np.float32), 4, form == "instances")


def test_a_scalar_is_a_value() -> None:
    asked, _ = decode(b'{"inputs": {"s": 7}}', SCALAR, "m", None)
    assert (asked.inputs["s"].shape, int(asked.inputs["s"])) == ((), 7)
    assert encode(answered(t=np.array(7)), rows=False) == b'{"outputs":7}'


def test_an_answer_that_has_no_rows_needs_the_other_form() -> None:
    ragged = answered(a=np.zeros((2, 1)), b=np.zeros(3))
    for response in (ragged, answered(t=np.array(7))):
        with pytest.raises(GatewayError, match="send 'inputs'"):
            encode(response, rows=True)
    assert orjson.loads(encode(ragged, rows=False)) == {"outputs": {"a": [[0], [0]], "b": [0, 0, 0]}}


@pytest.mark.parametrize(
    ("array", "told"),
    [
        (np.arange(6).reshape(2, 3).T, [[0, 3], [1, 4], [2, 5]]),
        (np.array([[b"a"], ["é".encode()]], object), [["a"], ["é"]]),
        (np.array([True, False]), [True, False]),
        (np.zeros((0, 2), np.float32), []),
    ],
)
def test_outputs_of_any_layout(array: Array, told: list[Any]) -> None:
    assert orjson.loads(encode(answered(y=array), rows=True)) == {"predictions": told}
    both = orjson.loads(encode(answered(y=array, z=array), rows=True))
    assert both == {"predictions": [{"y": row, "z": row} for row in told]}
