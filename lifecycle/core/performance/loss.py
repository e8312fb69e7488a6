"""How large a regressor's errors are on rows without labels: direct loss estimation (DLE).

A second model learns from the reference how wrong the first one is where. Assumes that it still is.
"""

import numpy as np
from numpy.typing import NDArray
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

    def __init__(self, features: Floats, predicted: Floats, truth: Floats) -> None:
        rows = _joined(features, predicted)
        error = np.maximum(np.abs(truth - predicted), SMALLEST)
        self._absolute, self._squared = _model().fit(rows, error), _model().fit(rows, error**2)

    def estimate(self, features: Floats, predicted: Floats) -> tuple[float, float]:
        """Mean absolute error and root mean squared error to be expected of new rows."""
        rows = _joined(features, predicted)
        absolute, squared = self._absolute.predict(rows).mean(), self._squared.predict(rows).mean()
        return float(absolute), float(np.sqrt(squared))


def _model() -> HistGradientBoostingRegressor:
    # A loss is never negative and spreads as it grows, so Poisson deviance fits it better than squares.
    return HistGradientBoostingRegressor(
        loss="poisson", learning_rate=0.05, max_iter=200, early_stopping=False, random_state=0
    )


def _joined(features: Floats, predicted: Floats) -> Floats:
    return np.concatenate([features, predicted[:, None]], axis=1)
