"""The classification extension: the k largest values of each row, as text `value:index`."""

import math

import numpy as np

from gateway.core.types import FLOAT_KINDS, Array
from gateway.protocols.fields import invalid
from gateway.protocols.tensors import objects


def classify(name: str, array: Array, classes: int) -> Array:
    """BYTES [N, k] from an output [N, ...]; a vector counts as one row, giving [k].

    k is clamped to the number of classes. Equal values keep the order of their index; NaN comes last.
    """
    if array.dtype.kind not in f"biu{FLOAT_KINDS}":
        raise invalid(f"output {name!r} holds no numbers to classify")
    rows = array.reshape(len(array), math.prod(array.shape[1:])) if array.ndim > 1 else array.reshape(1, -1)
    keys = -rows.astype(np.float64)
    top = np.argsort(keys, axis=1, kind="stable")[:, :classes]
    number = "{:f}:{}" if array.dtype.kind in FLOAT_KINDS else "{:d}:{}"
    values = rows.tolist()
    texts = [
        number.format(values[row][i], i).encode() for row, picks in enumerate(top.tolist()) for i in picks
    ]
    flat = objects(texts)
    return flat.reshape(top.shape) if array.ndim > 1 else flat
