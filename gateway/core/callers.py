"""How requests are spread over routing keys: counts by bucket of the key, which merge by addition.

No key is told, and neither is how many there are; but a few keys that make many requests show as few full
buckets.
"""

from collections.abc import Iterable
from zlib import crc32

import numpy as np
from numpy.typing import NDArray

from gateway.core.types import NO_EVIDENCE, Outcome

Counts = NDArray[np.int64]

BUCKETS = 256
REQUESTS, ERRORS, INVALID = range(3)
"""Rows of the counts."""
NO_KEYS = np.zeros((3, 0), np.int64)
NO_KEYS.setflags(write=False)
_BAD = {Outcome.SERVER_ERROR: ERRORS, Outcome.INVALID_OUTPUT: INVALID}


def by_bucket(requests: Iterable[tuple[str, Outcome]]) -> Counts:
    """Counts of keyed requests, int64 [3, BUCKETS]; [3, 0] if none has a key.

    What is no evidence is left out. The bucket is CRC-32 of the key, so it says nothing of where routing
    sends the key.
    """
    counts: Counts | None = None
    for key, outcome in requests:
        if not key or outcome in NO_EVIDENCE:
            continue
        if counts is None:
            counts = np.zeros((3, BUCKETS), np.int64)
        bucket = crc32(key.encode("utf-8", "surrogatepass")) % BUCKETS
        counts[REQUESTS, bucket] += 1
        if (row := _BAD.get(outcome)) is not None:
            counts[row, bucket] += 1
    return NO_KEYS if counts is None else counts


def added(left: Counts, right: Counts) -> Counts:
    """Both counts as one."""
    if not left.size or not right.size:
        return left if left.size else right
    return left + right
