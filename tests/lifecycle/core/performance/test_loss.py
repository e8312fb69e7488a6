"""A regressor's errors are estimated where it is wronger, too."""

import numpy as np
import pytest

from lifecycle.core.performance.loss import LossEstimator


def test_errors_grow_where_they_grew_in_the_reference() -> None:
    rng = np.random.default_rng(0)

    def rows(n: int, shift: float) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        x = rng.uniform(0, 2, (n, 1)) * shift
        predicted = 3 * x[:, 0]
        return x, predicted, predicted + (0.2 + x[:, 0]) * rng.normal(size=n)

    estimator = LossEstimator(*rows(8_000, 1.0))
    for shift in (1.0, 0.5):
        features, predicted, truth = rows(4_000, shift)
        mae, rmse = estimator.estimate(features, predicted)
        assert mae == pytest.approx(np.abs(truth - predicted).mean(), rel=0.06)
        assert rmse == pytest.approx(np.sqrt(((truth - predicted) ** 2).mean()), rel=0.06)
