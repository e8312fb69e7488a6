"""Which ids a file may hold, told without reading it: a Bloom filter (Bloom 1970) of one byte an id.

It never denies an id that is there, and takes one of fifty others for one. Files keep its bits, so which of
them an id sets must never change.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from zlib import crc32

import numpy as np

PROBES = 5
"""The best number for eight bits an id."""
_FEWEST_BYTES = 64
_ODD = 0x9E3779B97F4A7C15
_LOW = 0xFFFFFFFF


@dataclass(frozen=True, slots=True)
class IdFilter:
    """`bits` are eight for each id that was put in, and 64 bytes at least."""

    bits: bytes

    @classmethod
    def of(cls, ids: Sequence[str]) -> "IdFilter":
        hashes = np.fromiter((crc32(text.encode()) for text in ids), np.uint64, len(ids)) * np.uint64(_ODD)
        # Two halves of one hash stand for all probes (Kirsch and Mitzenmacher 2006).
        first, stride = hashes & np.uint64(_LOW), hashes >> np.uint64(32) | np.uint64(1)
        marked = np.zeros(8 * max(len(ids), _FEWEST_BYTES), bool)
        for probe in range(PROBES):
            marked[(first + np.uint64(probe) * stride) % np.uint64(len(marked))] = True
        return cls(np.packbits(marked).tobytes())

    def __contains__(self, text: str) -> bool:
        hashed = crc32(text.encode()) * _ODD % 2**64
        first, stride = hashed & _LOW, hashed >> 32 | 1
        places = ((first + probe * stride) % (8 * len(self.bits)) for probe in range(PROBES))
        return all(self.bits[place >> 3] & 0x80 >> (place & 7) for place in places)
