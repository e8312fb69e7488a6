"""Late numbers of live answers (a conversion, a revenue, a cost), by the version that gave the answer."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lifecycle.core.performance.interval import mean


@dataclass(frozen=True, slots=True, eq=False)
class Series:
    """Numbers of one version.

    Args:
        at: when each answer was given, float64 [rows], Unix seconds; `came` when its number came.
        values: the numbers, float64 [rows].
    """

    at: NDArray[np.float64]
    came: NDArray[np.float64]
    values: NDArray[np.float64]

    def as_json(self) -> dict[str, Any]:
        """How many, their mean and its 95 % interval (normal; None for fewer than two)."""
        known = {name: None if math.isnan(x) else x for name, x in mean(self.values)._asdict().items()}
        return {"rows": len(self.values), "mean": known.pop("value")} | known


def as_json(metrics: Mapping[str, Mapping[int, Series]]) -> list[dict[str, Any]]:
    """By name and version."""
    return [
        {
            "name": name,
            "versions": [{"version": number} | series.as_json() for number, series in sorted(by.items())],
        }
        for name, by in sorted(metrics.items())
    ]
