"""How large a regressor's errors are on rows without labels: direct loss estimation (DLE).

A second model learns from the reference how wrong the first one is where. Assumes that it still is, and says
nothing of rows that the reference does not know.
"""

import math
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from lifecycle.core.estimation.expectation import Expected, Method
from lifecycle.core.estimation.likeness import likeness
from lifecycle.core.performance.answers import Measure
from lifecycle.core.performance.rows import Rows

if TYPE_CHECKING:
    from sklearn.ensemble import HistGradientBoostingRegressor

Floats = NDArray[np.float64]

SMALLEST = 1e-9
"""An error of 0 counts as this: somewhere there has to be one."""


class LossEstimator:
    """Knows the reference: rows that the model was not trained on, with their labels.

    Args:
        features: [rows, features]; NaN is missing.
        predicted, truth: numbers, [rows].
    """

    measure = Measure.MAE

    def __init__(self, features: Floats, predicted: Floats, truth: Floats) -> None:
        self._reference = Rows(features, predicted[:, None])
        rows = np.concatenate(self._reference, axis=1)
        error = np.maximum(np.abs(truth - predicted), SMALLEST)
        self._absolute, self._squared = _model().fit(rows, error), _model().fit(rows, error**2)

    def estimate(self, features: Floats, predicted: Floats) -> tuple[float, float]:
        """Mean absolute error and root mean squared error to be expected of new rows."""
        absolute, squared = self._each(Rows(features, predicted[:, None]))
        return float(absolute.mean()), float(np.sqrt(squared.mean()))

    def expect(self, rows: Rows) -> Expected:
        """The mean absolute error of new rows; `scores` are the numbers answered, [rows, 1]."""
        seen = likeness(self._reference, rows)
        told = (seen.shift.auc, seen.shift.effective_rows)
        if seen.unknown:
            return Expected(Method.NONE, seen.unknown, math.nan, math.nan, *told)
        absolute, squared = self._each(rows)
        spread = np.maximum(squared - absolute**2, 0.0)  # of each row's error around its own mean
        error = math.sqrt(float(spread.sum())) / len(absolute)
        reason = f"the rows are {'like' if seen.like else 'unlike'} the reference, which has enough like them"
        return Expected(Method.DLE, reason, float(absolute.mean()), error, *told)

    def _each(self, rows: Rows) -> tuple[Floats, Floats]:
        """The absolute and the squared error to be expected of each row."""
        joined = np.concatenate(rows, axis=1)
        return self._absolute.predict(joined), self._squared.predict(joined)


def _model() -> "HistGradientBoostingRegressor":
    from sklearn.ensemble import HistGradientBoostingRegressor  # as in `shift`

    # A loss is never negative and spreads as it grows, so Poisson deviance fits it better than squares.
    return HistGradientBoostingRegressor(
        loss="poisson", learning_rate=0.05, max_iter=200, early_stopping=False, random_state=0
    )
