"""One estimate: its bounds, and when it is clearly too low."""

import math

import numpy as np
import pytest

from lifecycle.core.performance.estimating import Estimator, Method
from lifecycle.core.performance.rows import Rows
from lifecycle.core.performance.series import estimate


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
    assert steady.high - steady.accuracy == pytest.approx(steady.accuracy - steady.low)
    assert not steady.below(0.9, 0.05)
    assert estimate(estimator, rows(500, 0.3, 1)[0], 10.0, 20.0).below(0.9, 0.05)


def test_what_cannot_be_judged_is_never_too_low() -> None:
    reference, truth = rows(3_000, 3.0)
    strange = estimate(Estimator(*reference, truth), rows(500, 30.0, 1)[0], 10.0, 20.0)
    assert strange.method is Method.NONE
    assert math.isnan(strange.accuracy)
    assert not strange.below(0.9, 0.05)
    assert strange.as_json()["high"] is None
