"""Late numbers of live answers (a conversion, a revenue, a cost), by the version that gave the answer."""

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lifecycle.core.analysis.evidence import Numbered, Numbers
from lifecycle.core.analysis.metrics import MetricGuard
from lifecycle.core.performance.interval import Z_95


@dataclass(frozen=True, slots=True, eq=False)
class Series:
    """Numbers of one version.

    Args:
        at: when each answer was given, float64 [rows], Unix seconds.
        values: the numbers, float64 [rows].
    """

    at: NDArray[np.float64]
    values: NDArray[np.float64]

    def gains(self, guard: MetricGuard, since: float, until: float) -> Numbers:
        """Those of answers given in [since, until)."""
        seen = self.values[(self.at >= since) & (self.at < until)]
        return Numbers(len(seen), float(guard.gains(seen).sum()))

    def as_json(self) -> dict[str, Any]:
        """How many, their mean and its 95 % interval (normal; None for fewer than two)."""
        rows, mean = len(self.values), float(self.values.mean())
        half = Z_95 * float(self.values.std(ddof=1)) / math.sqrt(rows) if rows > 1 else None
        low, high = (None, None) if half is None else (mean - half, mean + half)
        return {"rows": rows, "mean": mean, "low": low, "high": high}


NONE = Series(np.zeros(0), np.zeros(0))


def compared(
    canary: Series, champion: Series, guard: MetricGuard, steps: Iterable[tuple[float, float]]
) -> tuple[Numbered, ...]:
    """Both versions' numbers by step of a rollout, of which each is from a time until another."""
    return tuple((canary.gains(guard, *step), champion.gains(guard, *step)) for step in steps)


def as_json(metrics: Mapping[str, Mapping[int, Series]]) -> list[dict[str, Any]]:
    """By name and version."""
    return [
        {
            "name": name,
            "versions": [{"version": number} | series.as_json() for number, series in sorted(by.items())],
        }
        for name, by in sorted(metrics.items())
    ]
