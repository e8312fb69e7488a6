"""The last hour of a model's live traffic, a point per second. Forgets what is older."""

import math
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from gateway.core.summary import LATENCY_EDGES_NS, Window, quantile
from gateway.core.types import Outcome, Role

KEPT_S = 3_600
LATE_S = 10
"""A window that ends this much before the newest one comes too late to be drawn."""


@dataclass(frozen=True, slots=True)
class Point:
    """One second of a model. Counts and shares are by version; shadows are left out.

    `at` is Unix seconds. Latencies are of all answered requests, None without any. Shares sum to 1.
    """

    at: int
    requests: Mapping[int, int]
    errors: Mapping[int, int]
    invalid: Mapping[int, int]
    p50_ms: float | None
    p99_ms: float | None
    share: Mapping[int, float]

    def as_json(self) -> dict[str, Any]:
        names = ("at", "requests", "errors", "invalid", "p50_ms", "p99_ms", "share")
        return {name: getattr(self, name) for name in names}


class History:
    """Windows in, points out. Histograms are kept for the newest seconds only."""

    def __init__(self) -> None:
        self._open: dict[int, _Second] = {}
        self._closed: deque[_Closed] = deque()
        self.kept = KEPT_S
        """Points that are kept, beside those of the newest seconds."""

    def add(self, window: Window) -> None:
        if window.role is Role.SHADOW or not math.isfinite(window.end):
            return
        second = int(window.end)
        if second <= max(self._open, default=second) - LATE_S:
            return
        self._open.setdefault(second, _Second()).add(window)
        for old in sorted(self._open):
            if old <= max(self._open) - LATE_S:
                self._closed.append(self._open.pop(old).closed(old))
        while len(self._closed) > self.kept:
            self._closed.popleft()

    def points(self) -> list[Point]:
        """Oldest first; seconds without traffic have no point."""
        newest = (self._open[second].closed(second) for second in sorted(self._open))
        return [_point(*closed) for closed in (*self._closed, *newest)]


# Plain tuples of numbers: of 360,000 points of a thousand models, Python's search for cycles then looks at
# none. As objects they held up the control loop for a second at a time.
_Counted = tuple[int, int, int, int]
"""A version with its requests, errors and invalid outputs."""
_Closed = tuple[int, float | None, float | None, tuple[_Counted, ...]]
"""A second that is over, with its p50 and p99 in ms."""


class _Second:
    def __init__(self) -> None:
        self.counts: dict[int, _Counted] = {}
        self.latency = np.zeros(len(LATENCY_EDGES_NS) + 1, np.int64)

    def add(self, window: Window) -> None:
        version, requests, errors, invalid = self.counts.get(window.version, (window.version, 0, 0, 0))
        requests += window.requests
        errors += window.outcomes.get(Outcome.SERVER_ERROR, 0)
        invalid += window.outcomes.get(Outcome.INVALID_OUTPUT, 0)
        self.counts[version] = version, requests, errors, invalid
        self.latency += window.latency

    def closed(self, at: int) -> _Closed:
        p50, p99 = (_ms(quantile(self.latency, q)) for q in (0.5, 0.99))
        return at, p50, p99, tuple(self.counts.values())


def _point(at: int, p50_ms: float | None, p99_ms: float | None, counted: tuple[_Counted, ...]) -> Point:
    requests, errors, invalid = ({each[0]: each[i] for each in counted} for i in (1, 2, 3))
    total = sum(requests.values())
    share = {version: n / total for version, n in requests.items()} if total else {}
    return Point(at, requests, errors, invalid, p50_ms, p99_ms, share)


def _ms(nanoseconds: float) -> float | None:
    return None if math.isnan(nanoseconds) else nanoseconds / 1e6
