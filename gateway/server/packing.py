"""Compressed bodies, which must not hold up the event loop: all but small ones are left to a thread."""

import asyncio

from gateway.protocols.compression import compress, decompress

SMALL = 8 * 1024
"""Of compressed bytes. They inflate to a thousand times as many at most, which takes 8 ms."""
_SMALL_PLAIN = 64 * 1024
"""Of bytes to be compressed, which takes less than 1 ms."""


async def unpacked(body: bytes, encoding: str, cap: int) -> bytes:
    """As `decompress`."""
    if len(body) <= SMALL:
        return decompress(body, encoding, cap)
    return await asyncio.to_thread(decompress, body, encoding, cap)


async def packed(body: bytes, encoding: str) -> bytes:
    """As `compress`."""
    if len(body) <= _SMALL_PLAIN:
        return compress(body, encoding)
    return await asyncio.to_thread(compress, body, encoding)
