"""A champion's estimated accuracy over time."""

import math
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from lifecycle.core.performance.confidence import expected_accuracy
from lifecycle.core.performance.estimating import Estimator, Method
from lifecycle.core.performance.rows import Rows

ERRORS = 3.0
"""Sampling errors that are shown on both sides, and by which a loss must be clear."""


@dataclass(frozen=True, slots=True)
class Estimate:
    """Predictions made from `start` to `end`, Unix seconds, and how many of them should be right.

    Args:
        method: `none` if nothing can be said; `reason` says why, or how it was come to.
        accuracy: expected, in [0, 1], with the bounds `low` and `high` of what chance may make of it; NaN
            where nothing can be said.
    """

    start: float
    end: float
    rows: int
    method: Method
    reason: str
    accuracy: float
    low: float
    high: float
    domain_auc: float
    effective_rows: float

    def below(self, reference: float, margin: float) -> bool:
        """Whether it is clearly below a reference by more than the margin."""
        return self.high < reference - margin

    def as_json(self) -> dict[str, Any]:
        plain = asdict(self) | {"method": str(self.method)}
        return {name: None if value != value else value for name, value in plain.items()}


def estimate(estimator: Estimator, rows: Rows, start: float, end: float) -> Estimate:
    """Estimate the accuracy of a stretch of predictions, each of which answers the likeliest class."""
    found = estimator.estimate(*rows)
    accuracy = low = high = math.nan
    if found.method is not Method.NONE:
        accuracy, error = expected_accuracy(found.probabilities, np.argmax(rows.scores, axis=1))
        low, high = max(accuracy - ERRORS * error, 0.0), min(accuracy + ERRORS * error, 1.0)
    seen = (found.method, found.reason, accuracy, low, high, found.domain_auc, found.effective_rows)
    return Estimate(start, end, len(rows.scores), *seen)
