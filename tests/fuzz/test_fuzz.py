"""The rules of every way in, on known inputs, on mutations of them, and for a moment guided by coverage.

`make fuzz` looks for longer.
"""

import asyncio
import json
import math
import subprocess
import sys
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.core.types import NUMPY_DTYPES
from tests.fuzz.seeds import requests, seeds
from tests.fuzz.targets import TARGETS, checked, json_body, told
from tests.fuzz.wire import Answer, exchange

SEEDS = {target: seeds(target) for target in TARGETS}
REQUESTS = requests()
brief = settings(max_examples=200, deadline=None, derandomize=True, database=None)


@pytest.mark.parametrize("target", TARGETS)
def test_known_inputs(target: str) -> None:
    for data in SEEDS[target]:
        TARGETS[target](data)


@st.composite
def mutated(draw: st.DrawFn, known: list[bytes]) -> bytes:
    """A known input with a few places changed, cut out, or filled from another one."""
    data = bytearray(draw(st.sampled_from(known)))
    for _ in range(draw(st.integers(1, 4))):
        start = draw(st.integers(0, len(data)))
        end = min(len(data), start + draw(st.integers(0, 16)))
        other = draw(st.sampled_from(known))
        cut = draw(st.integers(0, len(other)))
        data[start:end] = draw(st.one_of(st.binary(max_size=8), st.just(other[cut : cut + 64])))
    return bytes(data)


@pytest.mark.parametrize("target", TARGETS)
@brief
@given(data=st.data())
def test_mutations(target: str, data: st.DataObject) -> None:
    TARGETS[target](data.draw(mutated(SEEDS[target])))


_NUMBERS = st.one_of(st.integers(-(2**65), 2**65), st.floats(allow_nan=False, allow_infinity=False))
_ELEMENTS = st.one_of(_NUMBERS, st.integers(-3, 300), st.booleans(), st.none(), st.text(max_size=4))


@st.composite
def documents(draw: st.DrawFn) -> dict[str, Any]:
    """A body with one tensor that is nearly right: flat or nested, mostly of one type of element."""
    shape = draw(st.lists(st.integers(0, 3), max_size=3))
    elements = draw(st.sampled_from([_NUMBERS, st.integers(0, 100), st.booleans(), st.text(), _ELEMENTS]))
    size = math.prod(shape) + draw(st.sampled_from([0, 0, 0, 0, 1, -1]))
    data: list[Any] = draw(st.lists(elements, min_size=max(size, 0), max_size=max(size, 0)))
    for length in reversed(shape[1:]) if draw(st.booleans()) else ():
        data = [data[i : i + length] for i in range(0, len(data), max(length, 1))]
    datatype = draw(st.sampled_from([*NUMPY_DTYPES, "BF16", "FP33"]))
    return {"inputs": [{"name": "x", "datatype": datatype, "shape": shape, "data": data}]}


@settings(brief, max_examples=500)
@given(document=documents())
def test_json_tensors_read_like_the_slow_decoder_reads_them(document: dict[str, Any]) -> None:
    json_body(json.dumps(document).encode())


@brief
@given(sent=st.lists(st.sampled_from(REQUESTS), min_size=2, max_size=6), cuts=st.lists(st.integers(1, 2000)))
def test_requests_of_one_connection_are_answered_like_those_of_many(
    sent: list[bytes], cuts: list[int]
) -> None:
    """Whatever is remembered from request to request must change no answer, wherever the bytes are cut."""
    asyncio.run(_alike(sent, cuts))


async def _alike(sent: list[bytes], cuts: list[int]) -> None:
    alone = [_only(exchange([data])) for data in sent]
    ended = next((i for i, answer in enumerate(alone) if "connection" in answer.headers), len(sent))
    together = checked(exchange(_cut(b"".join(sent), cuts)))
    assert told(together) == told(alone[: ended + 1])


def _only(found: list[Answer]) -> Answer:
    (answer,) = checked(found)
    return answer


def _cut(data: bytes, sizes: list[int]) -> list[bytes]:
    pieces = []
    for size in sizes:
        pieces.append(data[:size])
        data = data[size:]
    return [piece for piece in (*pieces, data) if piece]


@pytest.mark.slow
@pytest.mark.parametrize("target", TARGETS)
def test_guided_for_a_moment(target: str) -> None:
    command = [sys.executable, "-m", "tests.fuzz.guided", target, "2"]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=120)
    assert done.returncode == 0, done.stderr[-4000:]
