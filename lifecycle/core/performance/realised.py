"""How often the answers were right, once their labels came: by cohort of prediction time.

A cohort that is not over may still get labels, and those that come fast are not like the others.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lifecycle.core.performance.interval import wilson


@dataclass(frozen=True, slots=True)
class Cohort:
    """Predictions made in [start, end), Unix seconds, and what their labels say so far.

    Args:
        predictions: predictions made; `labelled` of them have a label.
        accuracy: in [0, 1]; NaN without labels.
        low: Wilson's 95 % interval with `high`.
        mature: its time is over.
    """

    start: float
    end: float
    predictions: int
    labelled: int
    accuracy: float
    low: float
    high: float
    mature: bool

    @property
    def coverage(self) -> float:
        """Part of the predictions that have a label."""
        return self.labelled / self.predictions if self.predictions else 0.0


def cohorts(
    correct: NDArray[np.bool_],
    at: NDArray[np.float64],
    made_at: NDArray[np.float64],
    *,
    width_s: float,
    now: float,
) -> tuple[Cohort, ...]:
    """Cohorts with at least one prediction, oldest first; each starts at a multiple of `width_s`.

    Args:
        correct: whether each labelled prediction was right, [labelled].
        at: when it was made, [labelled], Unix seconds.
        made_at: when each prediction was made, labelled or not, Unix seconds.
    """
    own = np.floor(at / width_s).astype(np.int64)
    starts, made = np.unique(np.floor(made_at / width_s).astype(np.int64), return_counts=True)
    result = []
    for start, count in zip(starts.tolist(), made.tolist(), strict=True):
        of_cohort = correct[own == start]
        end = (start + 1) * width_s
        interval = wilson(int(of_cohort.sum()), len(of_cohort))
        result.append(Cohort(start * width_s, end, count, len(of_cohort), *interval, end <= now))
    return tuple(result)
