"""Tensors as Arrow columns and back: nested lists that keep every row's shape."""

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import pyarrow as pa

from gateway.core.types import NUMPY_DTYPES, Array


def to_column(stacks: Sequence[Array]) -> "pa.Array[Any]":
    """One value per row of stacks [rows, *shape]. Their shapes may differ, ranks and dtypes may not.

    A scalar row becomes a value, a vector a list, an [H, W] image a list of lists. BYTES become binary, BF16
    becomes float32.
    """
    rank, dtype = stacks[0].ndim, stacks[0].dtype
    values = np.concatenate([stack.ravel() for stack in stacks])
    if dtype == NUMPY_DTYPES["BF16"]:
        values = values.astype(np.float32)
    column: pa.Array[Any] = (
        pa.array(values.tolist(), pa.binary()) if dtype == np.object_ else pa.array(values)
    )
    for axis in reversed(range(1, rank)):
        lengths = np.concatenate([np.full(math.prod(s.shape[:axis]), s.shape[axis]) for s in stacks])
        offsets = np.concatenate([[0], np.cumsum(lengths)]).astype(np.int32)
        column = pa.ListArray.from_arrays(pa.array(offsets, pa.int32()), column)
    return column


def to_array(column: "pa.ChunkedArray[Any]") -> Array:
    """Rows stacked to [N, ...].

    Raises:
        ValueError: rows differ in shape, or some have no value.
    """
    flat: pa.Array[Any] = pa.concat_arrays(column.chunks) if column.num_chunks else pa.array([], column.type)
    shape = [len(flat)]
    while isinstance(flat, pa.ListArray | pa.LargeListArray | pa.FixedSizeListArray):
        if flat.null_count:
            raise ValueError("a row has no value")
        inner = flat.flatten()
        size, rest = divmod(len(inner), max(1, len(flat)))
        lengths = np.asarray(flat.value_lengths().to_numpy(zero_copy_only=False))
        if rest or (lengths != size).any():
            raise ValueError("rows differ in shape")
        shape.append(size)
        flat = inner
    if flat.null_count:
        raise ValueError("a row has no value")
    return np.asarray(flat.to_numpy(zero_copy_only=False)).reshape(shape)
