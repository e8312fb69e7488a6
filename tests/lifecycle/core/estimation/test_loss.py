"""A regressor's errors are estimated where it is wronger, too."""

import numpy as np
import pytest

from lifecycle.core.estimation.expectation import Method
from lifecycle.core.estimation.loss import LossEstimator
from lifecycle.core.performance.rows import Rows

RNG = np.random.default_rng(0)


def rows(n: int, shift: float) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    x = RNG.uniform(0, 2, (n, 1)) * shift
    predicted = 3 * x[:, 0]
    return x, predicted, predicted + (0.2 + x[:, 0]) * RNG.normal(size=n)


def test_errors_grow_where_they_grew_in_the_reference() -> None:
    estimator = LossEstimator(*rows(8_000, 1.0))
    for shift in (1.0, 0.5):
        features, predicted, truth = rows(4_000, shift)
        mae, rmse = estimator.estimate(features, predicted)
        assert mae == pytest.approx(np.abs(truth - predicted).mean(), rel=0.06)
        assert rmse == pytest.approx(np.sqrt(((truth - predicted) ** 2).mean()), rel=0.06)


def test_what_is_expected_comes_with_the_error_that_chance_makes_of_it() -> None:
    estimator = LossEstimator(*rows(3_000, 1.0))
    within = 0
    for _ in range(20):
        features, predicted, truth = rows(500, 1.0)
        found = estimator.expect(Rows(features, predicted[:, None]))
        assert found.method is Method.DLE
        within += abs(np.abs(truth - predicted).mean() - found.value) < 3 * found.error
    assert within >= 18
    assert found.error == pytest.approx(np.abs(truth - predicted).std() / 500**0.5, rel=0.3)


def test_of_rows_that_the_reference_does_not_know_nothing_is_said() -> None:
    features, predicted, _ = rows(500, 2.0)
    found = LossEstimator(*rows(1_000, 1.0)).expect(Rows(features, predicted[:, None]))
    assert found.method is Method.NONE
    assert np.isnan(found.value)
    assert "the reference has none" in found.reason
