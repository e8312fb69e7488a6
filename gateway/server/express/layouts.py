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
_LISTS = re.compile(rb'"data"\s*:\s*(\[[-+.0-9eE,\s[\]]*\])')
_NUMBERS = re.compile(rb"[^][,\s][^][]*")
_RAW_INPUT_CONTENTS = b"\x3a"  # field 7, wire type 2


class Words(NamedTuple):
    """Of a body: `start` is in front of its first tensor and names the layout.

    The others are as `Layout` takes them: `around` has what stands before each run of elements and behind
    the last one, `runs` how many elements there are in each, tensor by tensor.
    """

    start: bytes
    around: list[bytes]
    runs: list[list[int]]


def in_json(body: bytes, tensors: int) -> Words | None:
    """Of a body that is all JSON and holds so many lists of numbers, flat or nested. None for any other."""
    found = list(_LISTS.finditer(body))
    if len(found) != tensors or body.count(_DATA) != tensors:
        return None  # the word stands for something else as well
    start = found[0].start(1)
    runs = [list(_NUMBERS.finditer(body, *match.span(1))) for match in found]
    spans = [run.span() for each in runs for run in each]
    ends = [start, *(end for _, end in spans)]
    begins = [*(begin for begin, _ in spans), len(body)]
    around = [body[end:begin] for end, begin in zip(ends, begins, strict=True)]
    words = [body[:start], *around]
    # Escapes could spell the word once more.
    if sum(map(len, words)) > MOST_WORDS or any(b"\\" in each for each in words):
        return None
    return Words(body[:start], around, [[run[0].count(b",") + 1 for run in each] for each in runs])


def behind_json(body: bytes, json_length: int, inputs: Mapping[str, Array]) -> Words | None:
    """Of a body whose tensors are the raw bytes behind its JSON. None if some are in there."""
    raws = [array.tobytes() for array in inputs.values()]
    if json_length > MOST_WORDS or body[json_length:] != b"".join(raws):
        return None
    return Words(body[:json_length], [b""] * (len(raws) + 1), [[array.size] for array in inputs.values()])


def in_message(message: bytes, inputs: Mapping[str, Array]) -> Words | None:
    """Of a gRPC message in its frame. None unless its tensors come raw and last."""
    raws = [array.tobytes() for array in inputs.values()]
    marks = [_RAW_INPUT_CONTENTS + varint(len(raw)) for raw in raws]
    tail = b"".join(part for pair in zip(marks, raws, strict=True) for part in pair)
    start = message.removesuffix(tail)
    if len(start) == len(message) or len(start) > MOST_WORDS:
        return None
    return Words(start, [*marks, b""], [[array.size] for array in inputs.values()])
