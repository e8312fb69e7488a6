"""JSON bodies whose words are known: only the numbers of their one tensor are new.

A client writes the same words around its numbers again and again. What stands between known words is one
JSON value, so the body means what it meant before with that value in place of the old one: reading the value
alone takes 1.9 µs, reading and checking the whole body 5.4 µs (`benchmarks/micro/codec.py`). The numbers of
large bodies go right into their array, without a document being made of them first.
"""

import re
from collections.abc import Callable
from struct import Struct, error
from typing import NamedTuple

import numpy as np
import orjson

from gateway.core.types import Array
from gateway.protocols import minus_zero
from gateway.protocols.json_bulk import FROM_BYTES
from gateway.protocols.json_data import FORMATS

_read: Callable[[bytes | bytearray, int, Array, str], int] | None
try:
    from gateway.protocols.numbers import read as _read
except ImportError:  # compiled where there was a C compiler when Headrace was installed
    _read = None

MOST_LAYOUTS = 8192
MOST_BYTES = 2048
"""Of the words around the numbers."""
_DATA = b'"data"'
_LIST = re.compile(rb'"data"\s*:\s*\[[^][]*\]')


class _Layout(NamedTuple):
    name: str
    dtype: np.dtype[np.generic]
    shape: tuple[int, ...]
    code: str
    pack: Callable[..., bytes]
    tail: bytes


class KnownBodies:
    """Of requests with nothing but one tensor of numbers, in a flat list."""

    def __init__(self) -> None:
        self._layouts: dict[bytes, _Layout] = {}  # by what comes before the numbers

    def match(self, body: bytes | bytearray) -> dict[str, Array] | None:
        """The tensor, as decoding the whole body would give it; None if that must be done."""
        large = len(body) >= FROM_BYTES
        if large and _read is None:
            return None
        start = body.find(b"[", body.find(_DATA))
        layout = self._layouts.get(bytes(body[:start]))
        if layout is None or not body.endswith(layout.tail, start):
            return None
        name, dtype, shape, code, pack, tail = layout
        if large and _read is not None:
            array = np.empty(shape, dtype)
            end = _read(body, start + 1, array, code)
            return {name: array} if end == len(body) - len(tail) else None
        numbers = body[start : len(body) - len(tail) + 1]
        # True and false would be packed as 1 and 0, and a float's -0 as 0.
        if b"u" in numbers or b"s" in numbers or minus_zero.found(numbers):
            return None
        try:
            packed = pack(*orjson.loads(numbers))
        except (orjson.JSONDecodeError, error, OverflowError):
            return None
        return {name: np.frombuffer(packed, dtype).reshape(shape)}

    def learn(self, body: bytes | bytearray, name: str, datatype: str, array: Array) -> None:
        """Remember the words of a body that decodes to this one input and says nothing else."""
        if not array.size or (len(body) >= FROM_BYTES and _read is None):
            return
        found, known = _LIST.search(body), FORMATS.get(datatype)
        if found is None or known is None or body.count(_DATA) > 1:
            return  # nested, or the word stands for something else as well
        head, tail = bytes(body[: body.find(b"[", found.start())]), bytes(body[found.end() - 1 :])
        # Escapes could spell the word once more.
        if len(head) + len(tail) > MOST_BYTES or b"\\" in head or b"\\" in tail:
            return
        if len(self._layouts) >= MOST_LAYOUTS:
            self._layouts.clear()
        pack = Struct(f"<{array.size}{known[0]}").pack
        self._layouts[head] = _Layout(name, array.dtype, array.shape, known[0], pack, tail)
