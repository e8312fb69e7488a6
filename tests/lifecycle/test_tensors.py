"""Tensors go into columns and come back the same."""

import numpy as np
import pyarrow as pa
import pytest

from gateway.core.types import NUMPY_DTYPES
from lifecycle.tensors import to_array, to_column


@pytest.mark.parametrize("shape", [(3,), (3, 4), (3, 2, 5), (1, 1), (3, 0)])
@pytest.mark.parametrize("datatype", ["BOOL", "INT64", "UINT8", "FP16", "FP32", "FP64", "BYTES"])
def test_round_trip(datatype: str, shape: tuple[int, ...]) -> None:
    array = np.arange(np.prod(shape)).reshape(shape).astype(NUMPY_DTYPES[datatype])
    if datatype == "BYTES":
        array = np.array([b"%d" % i for i in range(int(np.prod(shape)))], np.object_).reshape(shape)
    back = to_array(pa.chunked_array([to_column([array])]))
    assert back.shape == shape
    assert (back == array).all()
    assert back.dtype == array.dtype


def test_bf16_becomes_float32() -> None:
    rows = np.array([[1.5], [-2]], NUMPY_DTYPES["BF16"])
    back = to_array(pa.chunked_array([to_column([rows])]))
    assert back.dtype == np.dtype("float32")
    assert back.tolist() == [[1.5], [-2]]


def test_chunks_are_stacked() -> None:
    column = pa.chunked_array([to_column([np.ones((1, 2))]), to_column([np.zeros((1, 2))])])
    assert to_array(column).tolist() == [[1, 1], [0, 0]]


@pytest.mark.parametrize(
    ("rows", "complaint"),
    [
        ([[1.0], [1.0, 2.0]], "differ in shape"),
        ([[1.0], [1.0, 2.0, 3.0]], "differ in shape"),
        ([[1.0], None], "no value"),
        ([[1.0], [None]], "no value"),
    ],
)
def test_rows_that_do_not_stack_are_refused(rows: list[list[float] | None], complaint: str) -> None:
    with pytest.raises(ValueError, match=complaint):
        to_array(pa.chunked_array([pa.array(rows, pa.list_(pa.float64()))]))
