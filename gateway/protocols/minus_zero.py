"""Zeros that a JSON text writes `-0`, as Go writes a float's -0.0: quick readers drop their sign.

Few bodies hold one. Those are read by a reader that keeps it, and is slower.
"""

import json
import re
from collections.abc import Callable
from typing import Any

found: Callable[[bytes | bytearray | memoryview], object]
"""Whether a text may hold one. It may be in a string, too."""
try:
    from gateway.protocols.numbers import minus_zero as found
except ImportError:
    found = re.compile(rb"-0[,\]}\s]").search


class MinusZero(int):
    """-0.0 where a float is wanted, 0 where a whole number is."""

    def __float__(self) -> float:
        return -0.0


def loads(text: bytes | bytearray | memoryview) -> Any:
    """What JSON that orjson takes means, as orjson reads it but for zeros. It nests up to 100 levels."""
    return json.loads(bytes(text), parse_int=_whole)


def _whole(text: str) -> int | float:
    if text == "-0":
        return MinusZero()
    number = int(text)
    return number if -(2**63) <= number < 2**64 else float(text)
