"""Traffic that is made up: when bad events come, and whose they are. Many runs at once."""

import math
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]

CHUNK = 50
"""Runs simulated at once; bounds the memory."""


def first(crossed: Bools, at: Floats) -> Floats:
    """When each run first crossed, [runs]; infinity if it never did. `at` broadcasts to `crossed`."""
    return np.asarray(np.where(crossed, at, np.inf).min(axis=1), np.float64)


def in_chunks(runs: int, simulate: Callable[[int], Floats]) -> Floats:
    return np.concatenate([simulate(min(CHUNK, runs - done)) for done in range(0, runs, CHUNK)])


def bad_events(
    rng: np.random.Generator, runs: int, canary: float, baseline: float, share: float, requests: int
) -> tuple[Floats, Floats, Floats]:
    """Bad events one by one: the canary's and the baseline's so far, and the request that each fell on."""
    rate = share * canary + (1 - share) * baseline
    events = int(requests * rate + 6 * math.sqrt(requests * rate)) + 10
    at = np.cumsum(rng.geometric(rate, (runs, events)), axis=1)
    ours = np.cumsum(rng.random((runs, events)) < share * canary / rate, axis=1)
    return ours.astype(np.float64), np.arange(1.0, events + 1) - ours, at.astype(np.float64)
