import numpy as np
import orjson
import pytest

from gateway.core.signature import Signature, TensorSpec
from gateway.core.types import Array, InferResponse, Role
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


def test_rows_are_answered_by_rows() -> None:
    assert encode(answered(t=np.array([7, 8])), rows=True) == b'{"predictions":[7,8]}'
