"""How good a champion's answers should be, over time."""

from dataclasses import asdict, dataclass
from typing import Any

from lifecycle.core.estimation.expectation import Expecting, Method
from lifecycle.core.performance.answers import Measure
from lifecycle.core.performance.rows import Rows
from lifecycle.core.performance.yardstick import Yardstick

ERRORS = 3.0
"""Sampling errors that are shown on both sides, and by which a loss must be clear."""


@dataclass(frozen=True, slots=True)
class Estimate:
    """Predictions made from `start` to `end`, Unix seconds, and how good they should be.

    Args:
        method: `none` if nothing can be said; `reason` says why, or how it was come to.
        value: the accuracy or the mean absolute error to be expected, with the bounds `low` and `high` of
            what chance may make of it; NaN where nothing can be said.
    """

    start: float
    end: float
    rows: int
    method: Method
    reason: str
    value: float
    low: float
    high: float
    domain_auc: float
    effective_rows: float
    measure: Measure = Measure.ACCURACY

    def worse(self, reference: float, margin: float) -> bool:
        """Whether it is clearly worse than a reference value by more than the margin, which is of losses."""
        if self.measure is Measure.ACCURACY:
            return self.high < reference - margin
        return self.low > reference + margin * Yardstick.of(self.measure, reference).scale

    def as_json(self) -> dict[str, Any]:
        plain = asdict(self)
        plain |= {"method": str(self.method), "measure": str(self.measure), self.measure: plain.pop("value")}
        return {name: None if value != value else value for name, value in plain.items()}


def estimate(estimator: Expecting, rows: Rows, start: float, end: float) -> Estimate:
    """Of a stretch of predictions."""
    found, measure = estimator.expect(rows), estimator.measure
    half = ERRORS * found.error
    low, high = max(found.value - half, 0.0), found.value + half
    if measure is Measure.ACCURACY:
        high = min(high, 1.0)
    if found.method is Method.NONE:
        low = high = found.value
    told = (found.domain_auc, found.effective_rows)
    return Estimate(
        start, end, len(rows.scores), found.method, found.reason, found.value, low, high, *told, measure
    )
