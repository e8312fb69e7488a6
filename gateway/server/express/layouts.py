"""Which part of a body are words, and which are its tensors: from a body that was decoded the usual way."""

import re
from collections.abc import Mapping
from typing import NamedTuple

from gateway.core.types import Array
from gateway.protocols.varint import varint

MOST_WORDS = 2048
"""Bytes. Nobody's words are to fill the memory."""
CODES = {
    "float16": "e",
    "float32": "f",
    "float64": "d",
    **{f"int{bits}": code for bits, code in ((8, "b"), (16, "h"), (32, "i"), (64, "q"))},
    **{f"uint{bits}": code for bits, code in ((8, "B"), (16, "H"), (32, "I"), (64, "Q"))},
}
"""Names of dtypes -> the codes that `struct` has for their elements. Of these any bytes are a number."""
_DATA = b'"data"'
_LIST = re.compile(rb'"data"\s*:\s*\[+([^][]+)\](?!\s*,\s*\[)')
_RAW_INPUT_CONTENTS = b"\x3a"  # field 7, wire type 2


class Words(NamedTuple):
    """Of a body: `start` is in front of its first tensor and names the layout; `around` is for `Layout`."""

    start: bytes
    around: list[bytes]


def in_json(body: bytes, tensors: int) -> Words | None:
    """Of a body that is all JSON and holds so many lists of numbers. None if it is written otherwise."""
    found = list(_LIST.finditer(body))
    if len(found) != tensors or body.count(_DATA) != tensors:
        return None  # the word stands for something else as well
    start = body.find(b"[", found[0].start())
    ends = [start, *(match.end(1) for match in found)]
    begins = [*(match.start(1) for match in found), len(body)]
    around = [body[end:begin] for end, begin in zip(ends, begins, strict=True)]
    words = [body[:start], *around]
    # Escapes could spell the word once more.
    if sum(map(len, words)) > MOST_WORDS or any(b"\\" in each for each in words):
        return None
    return Words(body[:start], around)


def behind_json(body: bytes, json_length: int, inputs: Mapping[str, Array]) -> Words | None:
    """Of a body whose tensors are the raw bytes behind its JSON. None if some are in there."""
    raws = [array.tobytes() for array in inputs.values()]
    if json_length > MOST_WORDS or body[json_length:] != b"".join(raws):
        return None
    return Words(body[:json_length], [b""] * (len(raws) + 1))


def in_message(message: bytes, inputs: Mapping[str, Array]) -> Words | None:
    """Of a gRPC message in its frame. None unless its tensors come raw and last."""
    raws = [array.tobytes() for array in inputs.values()]
    marks = [_RAW_INPUT_CONTENTS + varint(len(raw)) for raw in raws]
    tail = b"".join(part for pair in zip(marks, raws, strict=True) for part in pair)
    start = message.removesuffix(tail)
    if len(start) == len(message) or len(start) > MOST_WORDS:
        return None
    return Words(start, [*marks, b""])
