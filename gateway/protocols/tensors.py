"""Raw bytes <-> arrays, as the binary extension and gRPC carry them. Little-endian, row-major.

BYTES elements are `<u32 little-endian length><bytes>`. Decoded arrays may be views of the request.
"""

import math
import struct
from collections.abc import Sequence
from typing import Any

import numpy as np

from gateway.core.types import DATATYPES, NUMPY_DTYPES, Array
from gateway.core.words import quoted
from gateway.errors import ErrorCode, GatewayError
from gateway.protocols.fields import invalid

_MAX_RANK = 32
_MAX_DIMENSION = 2**31 - 1
_LENGTH = struct.Struct("<I")
_WORTH_A_VIEW = 16_384
_BYTES = NUMPY_DTYPES["BYTES"]


def dtype_of(name: str, datatype: object) -> np.dtype[np.generic]:
    """The dtype that carries a V2 datatype, or INVALID."""
    dtype = NUMPY_DTYPES.get(datatype) if isinstance(datatype, str) else None
    if dtype is None:
        told = "no datatype" if datatype is None else f"the unknown datatype {quoted(datatype)}"
        raise invalid(f"input {quoted(name)} has {told}; it can be one of {', '.join(NUMPY_DTYPES)}")
    return dtype


def shape_of(name: str, shape: Sequence[Any]) -> tuple[int, ...]:
    """A request's shape, every dimension known and within bounds, or INVALID."""
    if len(shape) > _MAX_RANK:
        raise invalid(f"input {quoted(name)} has more than {_MAX_RANK} dimensions")
    for length in shape:
        if type(length) is not int or not 0 <= length <= _MAX_DIMENSION:
            raise invalid(
                f"input {quoted(name)} must have a shape of whole numbers from 0 to {_MAX_DIMENSION}"
            )
    return tuple(shape)


def shaped(name: str, array: Array, shape: tuple[int, ...]) -> Array:
    """The flat array in its shape, or INVALID if the counts differ."""
    count = math.prod(shape)
    if count != array.size:
        raise invalid(
            f"input {quoted(name)} has {array.size} elements; its shape {list(shape)} holds {count}"
        )
    try:
        return array.reshape(shape)
    except ValueError:  # empty, with dimensions that numpy cannot hold
        raise invalid(f"input {quoted(name)} has a shape that is too large") from None


def from_raw(
    name: str, dtype: np.dtype[np.generic], shape: tuple[int, ...], raw: bytes | memoryview
) -> Array:
    """An array of raw bytes, over them if they are an object of their own. INVALID if the sizes differ."""
    if dtype == _BYTES:
        return shaped(name, _split(name, raw), shape)
    if len(raw) != math.prod(shape) * dtype.itemsize:
        raise invalid(
            f"input {quoted(name)} has {len(raw)} bytes; its shape {list(shape)} "
            f"needs {math.prod(shape) * dtype.itemsize}"
        )
    if dtype.kind == "b" and bytes(raw).strip(b"\0\1"):
        raise invalid(f"input {quoted(name)} is BOOL: every byte must be 0 or 1")
    array = np.frombuffer(raw, dtype)
    # Behind a JSON part a tensor begins anywhere, and from an address that 16 does not divide onnxruntime
    # sums in another order, to other last bits. Objects of bytes always begin at one that it does.
    return shaped(name, array.copy() if isinstance(raw, memoryview) else array, shape)


def to_raw(array: Array) -> bytes:
    """An output's raw bytes, a copy of them."""
    if array.dtype != _BYTES:
        return array.tobytes()
    elements = [item if isinstance(item, bytes) else str(item).encode() for item in array.ravel()]
    return b"".join(part for item in elements for part in (_LENGTH.pack(len(item)), item))


def over_raw(array: Array) -> bytes | memoryview:
    """The same, but where it pays a view of the array itself: to be written before the array is let go."""
    if array.nbytes < _WORTH_A_VIEW or array.dtype == _BYTES or not array.flags.c_contiguous:
        return to_raw(array)
    return array.reshape(-1).view(np.uint8).data


def datatype_of(name: str, array: Array) -> str:
    """The V2 datatype of an output. INTERNAL if the model gave what no client can read."""
    datatype = DATATYPES.get(array.dtype)
    if datatype is None:
        raise GatewayError(ErrorCode.INTERNAL, f"output {name!r} has a type that cannot be sent")
    return datatype


def objects(items: Sequence[object]) -> Array:
    """A flat BYTES array. `np.array` would look inside the elements."""
    array = np.empty(len(items), _BYTES)
    array[:] = items
    return array


def _split(name: str, raw: bytes | memoryview) -> Array:
    items, position, end = [], 0, len(raw)
    while position < end:
        start = position + _LENGTH.size
        if start > end:
            raise invalid(f"input {quoted(name)} ends within a length prefix")
        position = start + _LENGTH.unpack_from(raw, start - _LENGTH.size)[0]
        if position > end:
            raise invalid(f"input {quoted(name)} has a length prefix that runs over its end")
        items.append(bytes(raw[start:position]))
    return objects(items)
