"""Windows: what leaves a worker about its traffic. They merge exactly, in any order and grouping.

Never holds a row of data; only counts.
"""

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from gateway.core.binning import histogram
from gateway.core.callers import NO_KEYS, added
from gateway.core.disagreement import NO_PAIRS, Disagreement
from gateway.core.types import NO_EVIDENCE, Outcome, Role

Counts = NDArray[np.int64]
K = TypeVar("K")
WindowKey = tuple[str, int, Role, int]
"""Model, version, role, generation of the route table."""

LATENCY_EDGES_NS: Counts = np.round(np.geomspace(10_000, 60_000_000_000, 321)).astype(np.int64)
"""Upper bounds (inclusive) of the latency bins, 10 µs to 60 s, each 5 % above the last.

Bin i holds latencies in (edge[i-1], edge[i]]; one more bin holds what is above the last edge.
"""
LATENCY_EDGES_NS.setflags(write=False)


def latency_histogram(latencies_ns: Counts) -> Counts:
    """Count latencies, int64 ns, into `LATENCY_EDGES_NS`; shape [len(LATENCY_EDGES_NS) + 1]."""
    return histogram(latencies_ns, LATENCY_EDGES_NS)


def quantile(latency: Counts, q: float) -> float:
    """The q-quantile in ns of a latency histogram, interpolated geometrically within its bin.

    NaN when the histogram is empty. Below the first edge and above the last one, that edge.
    """
    total = int(latency.sum())
    if total == 0:
        return math.nan
    cumulated = np.cumsum(latency)
    rank = q * total
    at = int(np.searchsorted(cumulated, max(rank, 1e-9)))
    if at == 0 or at >= len(LATENCY_EDGES_NS):
        return float(LATENCY_EDGES_NS[0 if at == 0 else -1])
    low, high = float(LATENCY_EDGES_NS[at - 1]), float(LATENCY_EDGES_NS[at])
    share = (rank - float(cumulated[at - 1])) / float(latency[at])
    return float(low * (high / low) ** min(max(share, 0.0), 1.0))


@dataclass(frozen=True, slots=True, eq=False)
class Window:
    """A mergeable summary of a few seconds of one version's traffic in one role under one route table.

    Args:
        start: Unix seconds; +inf in an empty window.
        end: Unix seconds; -inf in an empty window.
        protocols: requests by the protocol they came by and their outcome, `NO_EVIDENCE` included.
        latency: histogram of answered requests (OK and INVALID_OUTPUT).
        rows: rows of the answered requests.
        counts: binned features by profile key, each [features, bins]; empty without a profile.
        dropped: records the tap had no room for; none of their numbers are in the other fields.
        disagreement: a shadow's answers beside the champion's on the same requests.
        keyed: requests that named a routing key, by bucket of it (`callers.by_bucket`).
    """

    model: str
    version: int
    role: Role
    generation: int
    start: float
    end: float
    outcomes: Mapping[Outcome, int]
    protocols: Mapping[tuple[str, Outcome], int]
    latency: Counts
    rows: int
    counts: Mapping[str, Counts]
    dropped: int = 0
    disagreement: Disagreement = NO_PAIRS
    keyed: Counts = field(default_factory=lambda: NO_KEYS)

    @classmethod
    def empty(cls, model: str, version: int, role: Role, generation: int) -> "Window":
        """The identity of `merge`."""
        latency = np.zeros(len(LATENCY_EDGES_NS) + 1, np.int64)
        return cls(model, version, role, generation, math.inf, -math.inf, {}, {}, latency, 0, {})

    @classmethod
    def of_pairs(cls, key: WindowKey, now: float, disagreement: Disagreement) -> "Window":
        """Says how a shadow's answers agree with the champion's, and nothing of its traffic."""
        return replace(cls.empty(*key), start=now, end=now, disagreement=disagreement)

    @property
    def key(self) -> WindowKey:
        return self.model, self.version, self.role, self.generation

    @property
    def requests(self) -> int:
        """Requests the version is judged by: all outcomes that say something of it."""
        return sum(n for outcome, n in self.outcomes.items() if outcome not in NO_EVIDENCE)

    def merge(self, other: "Window") -> "Window":
        """Both windows as one. Associative and commutative.

        Raises:
            ValueError: the windows are of different keys, or were binned by different profiles.
        """
        if self.key != other.key:
            raise ValueError(f"cannot merge windows of {self.key} and {other.key}")
        return Window(
            *self.key,
            min(self.start, other.start),
            max(self.end, other.end),
            _add(self.outcomes, other.outcomes),
            _add(self.protocols, other.protocols),
            self.latency + other.latency,
            self.rows + other.rows,
            _add_counts(self.counts, other.counts),
            self.dropped + other.dropped,
            self.disagreement.merge(other.disagreement),
            added(self.keyed, other.keyed),
        )


def merged(windows: Iterable[Window]) -> list[Window]:
    """The same, with one window per key, in the order in which the keys first came."""
    found: dict[WindowKey, Window] = {}
    for window in windows:
        found[window.key] = found[window.key].merge(window) if window.key in found else window
    return list(found.values())


def _add(left: Mapping[K, int], right: Mapping[K, int]) -> dict[K, int]:
    return {key: left.get(key, 0) + right.get(key, 0) for key in {**left, **right}}


def _add_counts(left: Mapping[str, Counts], right: Mapping[str, Counts]) -> dict[str, Counts]:
    merged = {**left, **right}
    for key in left.keys() & right.keys():
        if left[key].shape != right[key].shape:
            raise ValueError(f"cannot merge counts of {key!r}: {left[key].shape} and {right[key].shape}")
        merged[key] = left[key] + right[key]
    return merged
