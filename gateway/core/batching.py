"""Whether requests may share a run, and how many of their rows should. Pure: it learns what it is told."""

from collections.abc import Iterator
from enum import StrEnum

LESS = 1.02
"""A larger run must be this much cheaper per row to be worth the longer wait for it."""
TRY_EVERY = 32
"""Runs between two looks at whether a larger one has become worth it."""
_FORGET = 1.01


class Batching(StrEnum):
    """What sharing runs does to a version's answers, as its first runs showed."""

    OFF = "off"
    """A row's answer depends on its neighbours, or rows cannot be joined: requests run apart."""
    CLOSE = "close"
    """The same but for rounding: the runtime may add up in another order."""
    EXACT = "exact"
    """The same to the bit."""


def permitted(found: Batching, wanted: Batching) -> Batching:
    """What a version does, found to be so, under a setting that asks for at least so much."""
    allowed = {
        Batching.OFF: (),
        Batching.EXACT: (Batching.EXACT,),
        Batching.CLOSE: (Batching.EXACT, Batching.CLOSE),
    }
    return found if found in allowed[wanted] else Batching.OFF


class BatchSize:
    """The most rows to join into one run, of requests that are alike in shape.

    Sizes are powers of two, each with the least that a row was seen to cost in a run of about that size; old
    measurements fade. `rows` is the smallest size that costs hardly more per row than the best; or one that
    is still to be measured: the largest that is foreseen to take `start_ns`, and the next larger one, that
    one now and then again.

    Args:
        row_ns: what a row is thought to cost before any run.
        start_ns: how long a run may take before larger ones were measured to be better.
        most_ns: how long a run may be foreseen to take at all: the first request of it waits for the last.
    """

    def __init__(self, row_ns: float, start_ns: float, most_ns: float) -> None:
        self._start_ns = start_ns
        self._most_ns = most_ns
        self._costs: dict[int, float] = {}
        self._runs = 0
        self.rows = 1 << self._within_start(row_ns)

    def learn(self, rows: int, took_ns: float) -> None:
        """Take in a run of so many rows."""
        if rows < 1:
            return
        size = rows.bit_length() - 1
        cost = took_ns / rows
        self._costs[size] = min(cost, self._costs.get(size, cost) * _FORGET)
        self._runs += 1
        short = {size: cost for size, cost in self._costs.items() if cost * (1 << size) <= self._most_ns}
        if not short:
            self.rows = 1 << max(min(self._costs) - 1, 0)
            return
        least = min(short.values())
        best = min(size for size, cost in short.items() if cost <= least * LESS)
        self.rows = 1 << next((size for size in self._untried(best) if self._fits(size, best)), best)

    def _untried(self, best: int) -> Iterator[int]:
        if (far := self._within_start(self._costs[best])) > best and far not in self._costs:
            yield far
        if best + 1 not in self._costs or self._runs % TRY_EVERY == 0:
            yield best + 1

    def _fits(self, size: int, best: int) -> bool:
        return self._costs[best] * (1 << size) <= self._most_ns

    def _within_start(self, row_ns: float) -> int:
        return max(int(self._start_ns / max(row_ns, 1.0)), 1).bit_length() - 1
