"""One estimate: its bounds, and when it is clearly too low."""

import math

import numpy as np
import pytest

from lifecycle.core.estimation.estimating import Estimator
from lifecycle.core.estimation.expectation import Method
from lifecycle.core.performance.answers import Measure
from lifecycle.core.performance.rows import Rows
from lifecycle.core.performance.series import Estimate, estimate


def rows(n: int, within: float, seed: int = 0) -> tuple[Rows, np.ndarray]:
    rng = np.random.default_rng(seed)
    x = rng.uniform(-within, within, n)
    score = 1 / (1 + np.exp(-3 * x))
    found = Rows(x[:, None], np.stack([1 - score, score], axis=1))
    return found, (rng.random(n) < score).astype(np.int64)


def test_bounds_are_three_sampling_errors_and_a_loss_must_clear_them() -> None:
    reference, truth = rows(3_000, 3.0)
    estimator = Estimator(*reference, truth)
    steady = estimate(estimator, rows(500, 3.0, 1)[0], 10.0, 20.0)
    assert (steady.start, steady.end, steady.rows) == (10.0, 20.0, 500)
    assert steady.high - steady.value == pytest.approx(steady.value - steady.low)
    assert not steady.worse(0.9, 0.05)
    assert estimate(estimator, rows(500, 0.3, 1)[0], 10.0, 20.0).worse(0.9, 0.05)


def test_what_cannot_be_judged_is_never_too_low() -> None:
    reference, truth = rows(3_000, 3.0)
    strange = estimate(Estimator(*reference, truth), rows(500, 30.0, 1)[0], 10.0, 20.0)
    assert strange.method is Method.NONE
    assert math.isnan(strange.value)
    assert not strange.worse(0.9, 0.05)
    assert strange.as_json()["high"] is None


def test_a_larger_error_of_numbers_is_worse_and_the_margin_is_of_four_times_the_reference() -> None:
    said = Estimate(1.0, 2.0, 500, Method.DLE, "like it", 30.0, 25.0, 35.0, 0.5, 900.0, Measure.MAE)
    assert said.worse(20.0, 0.05)
    assert not said.worse(21.0, 0.05)
    told = said.as_json()
    assert (told["mae"], told["measure"], "accuracy" in told, "value" in told) == (30.0, "mae", False, False)
