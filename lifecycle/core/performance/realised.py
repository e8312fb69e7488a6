"""How good the answers were, once their labels came: by cohort of prediction time.

A cohort that is not over may still get labels, and those that come fast are not like the others.
"""

import math
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lifecycle.core.performance.answers import Errors, Measure
from lifecycle.core.performance.interval import Interval, mean, root_mean_square, wilson


@dataclass(frozen=True, slots=True)
class Cohort:
    """Predictions made in [start, end), Unix seconds, and what their labels say so far.

    Args:
        predictions: predictions made; `labelled` of them have a label.
        mature: its time is over.
        accuracy: of classes, in [0, 1]; None for numbers. NaN without labels, as are all figures.
        mae, rmse: of numbers, the mean absolute error and the root mean squared one; None for classes.
    """

    start: float
    end: float
    predictions: int
    labelled: int
    mature: bool
    accuracy: Interval | None = None
    mae: Interval | None = None
    rmse: Interval | None = None

    @property
    def coverage(self) -> float:
        """Part of the predictions that have a label."""
        return self.labelled / self.predictions if self.predictions else 0.0

    def as_json(self) -> dict[str, Any]:
        """What is not known is null. `low` and `high` are of the accuracy, or of the mean absolute error."""
        names = ("start", "end", "predictions", "labelled", "coverage", "mature")
        none = Interval(math.nan, math.nan, math.nan)
        main, squared = self.accuracy or self.mae or none, self.rmse or none
        figures = {
            "accuracy": (self.accuracy or none).value,
            "mae": (self.mae or none).value,
            "low": main.low,
            "high": main.high,
            "rmse": squared.value,
            "rmse_low": squared.low,
            "rmse_high": squared.high,
        }
        known = {name: None if math.isnan(value) else value for name, value in figures.items()}
        return {name: getattr(self, name) for name in names} | known


def cohorts(
    errors: Errors,
    at: NDArray[np.float64],
    made_at: NDArray[np.float64],
    *,
    width_s: float,
    now: float,
) -> tuple[Cohort, ...]:
    """Cohorts with at least one prediction, oldest first; each starts at a multiple of `width_s`.

    Args:
        errors: of each labelled prediction, [labelled].
        at: when it was made, [labelled], Unix seconds.
        made_at: when each prediction was made, labelled or not, Unix seconds.
    """
    own = np.floor(at / width_s).astype(np.int64)
    starts, made = np.unique(np.floor(made_at / width_s).astype(np.int64), return_counts=True)
    result = []
    for start, count in zip(starts.tolist(), made.tolist(), strict=True):
        rows = errors.rows[own == start]
        end = (start + 1) * width_s
        begun = Cohort(start * width_s, end, count, len(rows), end <= now)
        if errors.measure is Measure.ACCURACY:
            result.append(replace(begun, accuracy=wilson(len(rows) - float(rows.sum()), len(rows))))
        else:
            result.append(replace(begun, mae=mean(rows), rmse=root_mean_square(rows)))
    return tuple(result)
