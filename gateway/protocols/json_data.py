"""JSON `data` <-> arrays. Strict: nothing is truncated, rounded to infinity, or guessed.

Numbers go through `struct`, which checks ranges in C: 30 floats take 0.5 µs there and 0.8 µs in `np.array`,
which would let an overflow pass as infinity.
"""

import struct
from itertools import chain
from typing import Any

import numpy as np

from gateway.core.types import Array
from gateway.core.words import quoted
from gateway.errors import GatewayError
from gateway.protocols.fields import invalid
from gateway.protocols.minus_zero import MinusZero
from gateway.protocols.tensors import objects, shaped

_FLOATS: set[type] = {float, int, MinusZero}
_INTEGERS: set[type] = {int, MinusZero}
FORMATS: dict[str, tuple[str, set[type]]] = {
    "FP32": ("f", _FLOATS),
    "FP64": ("d", _FLOATS),
    "INT8": ("b", _INTEGERS),
    "INT16": ("h", _INTEGERS),
    "INT32": ("i", _INTEGERS),
    "INT64": ("q", _INTEGERS),
    "UINT8": ("B", _INTEGERS),
    "UINT16": ("H", _INTEGERS),
    "UINT32": ("I", _INTEGERS),
    "UINT64": ("Q", _INTEGERS),
}
"""V2 datatype -> its `struct` code and what its elements may be in parsed JSON."""


def from_json(
    name: str, datatype: str, dtype: np.dtype[np.generic], shape: tuple[int, ...], data: list[Any] | Array
) -> Array:
    """The array in parsed JSON, flat or nested as its shape. INVALID unless every element fits."""
    if isinstance(data, np.ndarray):
        return shaped(name, _narrowed(name, datatype, dtype, data), shape)
    if data and type(data[0]) is list:
        data = _flat(name, shape, data)
    if (known := FORMATS.get(datatype)) is not None:
        code, types = known
        if not types.issuperset(map(type, data)):
            raise _unlike(name, datatype, data, types, _WANTED[code in "fd"])
        try:
            packed = struct.pack(f"<{len(data)}{code}", *data)
        except (struct.error, OverflowError):
            raise _beyond(name, datatype) from None
        return shaped(name, np.frombuffer(packed, dtype), shape)
    if datatype == "BOOL":
        if not {bool}.issuperset(map(type, data)):
            raise _unlike(name, datatype, data, {bool}, "true and false")
        return shaped(name, np.array(data, dtype), shape)
    if datatype == "BYTES":
        if not {str}.issuperset(map(type, data)):
            raise _unlike(name, datatype, data, {str}, "strings")
        return shaped(name, objects([item.encode() for item in data]), shape)
    raise invalid(f"input {quoted(name)} is {datatype}, which JSON cannot carry; send it as binary data")


def _narrowed(name: str, datatype: str, dtype: np.dtype[np.generic], numbers: Array) -> Array:
    """64-bit numbers in the type that was asked for; JSON holds no infinity, so one is an overflow."""
    with np.errstate(over="ignore"):
        narrow = numbers.astype(dtype)
    fits = np.isfinite(narrow).all() if dtype.kind == "f" else np.array_equal(narrow, numbers)
    if not fits:
        raise _beyond(name, datatype)
    return narrow


def _beyond(name: str, datatype: str) -> GatewayError:
    return invalid(f"input {quoted(name)} has a number out of range for {datatype}")


_WANTED = {
    True: "numbers, flat or nested as its shape",
    False: "whole numbers, flat or nested as its shape",
}
_KINDS: dict[type, str] = {
    bool: "true or false",
    dict: "an object",
    float: "a decimal number",
    int: "a number",
    list: "a list",
    str: "a string",
    MinusZero: "a number",
    type(None): "null",
}


def _unlike(name: str, datatype: str, data: list[Any], types: set[type], wanted: str) -> GatewayError:
    """Says of which kind the first element is that does not fit; never the element itself."""
    kind = next(_KINDS[type(item)] for item in data if type(item) not in types)
    return invalid(
        f"input {quoted(name)} is {datatype}: its data must be a list of {wanted}; it holds {kind}"
    )


def _flat(name: str, shape: tuple[int, ...], data: list[Any]) -> list[Any]:
    for depth, length in enumerate(shape):
        if len(data) != length and depth == 0:
            raise invalid(f"input {quoted(name)} has {len(data)} rows; its shape says {length}")
        if depth:
            if not {list}.issuperset(map(type, data)) or not {length}.issuperset(map(len, data)):
                raise invalid(f"input {quoted(name)} is ragged, or not nested as its shape {list(shape)}")
            data = list(chain.from_iterable(data))
    return data


def to_json(name: str, datatype: str, array: Array) -> Array | list[Any]:
    """What the JSON encoder writes for an output, flat. INVALID for what only binary can carry."""
    if datatype == "BYTES":
        try:
            return [item.decode() if isinstance(item, bytes) else str(item) for item in array.ravel()]
        except UnicodeDecodeError:
            raise invalid(f"output {name!r} is not UTF-8 text; ask for it as binary data") from None
    if datatype in ("FP16", "BF16"):
        raise invalid(f"output {name!r} is {datatype}, which JSON cannot carry; ask for it as binary data")
    return array.ravel()
