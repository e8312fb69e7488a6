import asyncio
import gzip
import random

import pytest

from gateway.errors import ErrorCode, GatewayError
from gateway.protocols.compression import decompress
from gateway.server.http.eager import run_eagerly
from gateway.server.packing import SMALL, packed, unpacked

NOISE = random.Random(0).randbytes(100_000)


async def test_a_small_body_is_inflated_at_once_and_a_large_one_in_a_thread() -> None:
    assert run_eagerly(unpacked(gzip.compress(b"small"), "gzip", 100)) == b"small"
    pending = run_eagerly(unpacked(gzip.compress(NOISE), "gzip", len(NOISE)))
    assert isinstance(pending, asyncio.Task)
    assert await pending == NOISE


async def test_an_answer_likewise() -> None:
    small = run_eagerly(packed(b"small", "deflate"))
    assert isinstance(small, bytes)
    assert decompress(small, "deflate", 100) == b"small"
    pending = run_eagerly(packed(NOISE, "deflate"))
    assert isinstance(pending, asyncio.Task)
    assert decompress(await pending, "deflate", len(NOISE)) == NOISE


@pytest.mark.parametrize("noise", [b"small", NOISE])
async def test_faults_are_the_same(noise: bytes) -> None:
    with pytest.raises(GatewayError) as large:
        await unpacked(gzip.compress(noise), "gzip", 4)
    assert large.value.code is ErrorCode.TOO_LARGE
    with pytest.raises(GatewayError) as broken:
        await unpacked(b"no gzip" + noise, "gzip", 4)
    assert broken.value.code is ErrorCode.INVALID


def test_what_is_inflated_at_once_stays_within_milliseconds() -> None:
    bomb = gzip.compress(bytes(16 * 2**20))
    assert len(bomb) > SMALL  # so it is not
