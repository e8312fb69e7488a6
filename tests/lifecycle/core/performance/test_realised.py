"""Realised performance by cohort."""

import numpy as np
import pytest

from lifecycle.core.performance.answers import Errors, Measure
from lifecycle.core.performance.realised import Cohort, cohorts


def cohort(right: int, labelled: int) -> Cohort:
    (found,) = cohorts(
        Errors(Measure.ACCURACY, (np.arange(labelled) >= right).astype(np.float64)),
        np.zeros(labelled),
        np.zeros(labelled),
        width_s=60,
        now=100.0,
    )
    return found


def test_cohorts_go_by_prediction_time_with_coverage_and_maturity() -> None:
    found = cohorts(
        Errors(Measure.ACCURACY, np.array([0.0, 1.0, 0.0])),
        np.array([0.0, 10.0, 70.0]),
        np.array([0.0, 10.0, 20.0, 30.0, 70.0, 130.0]),
        width_s=60,
        now=150.0,
    )
    assert [(c.start, c.end, c.predictions, c.labelled) for c in found] == [
        (0, 60, 4, 2),
        (60, 120, 1, 1),
        (120, 180, 1, 0),
    ]
    assert [c.mature for c in found] == [True, True, False]
    assert found[0].coverage == 0.5
    assert found[0].accuracy is not None
    assert found[0].accuracy.value == 0.5
    assert (found[2].as_json()["accuracy"], found[2].as_json()["mae"]) == (None, None)


def test_wilson_interval() -> None:
    found = cohort(81, 100).as_json()
    # Agresti and Coull 1998, the score interval.
    assert (found["low"], found["high"]) == pytest.approx((0.7222, 0.8749), abs=1e-3)
    assert cohort(100, 100).as_json()["high"] == 1.0


def test_numbers_have_a_mean_error_and_a_mean_squared_one_with_their_intervals() -> None:
    off = np.abs(np.random.default_rng(3).normal(0, 5.0, 4_000))
    off[7] = np.inf
    (found,) = cohorts(Errors(Measure.MAE, off), np.zeros(4_000), np.zeros(5_000), width_s=60, now=100.0)
    told = found.as_json()
    assert (told["accuracy"], told["labelled"], told["coverage"]) == (None, 4_000, 0.8)
    assert (told["mae"], told["rmse"]) == pytest.approx((5.0 * (2 / np.pi) ** 0.5, 5.0), rel=0.03)
    assert told["low"] < told["mae"] < told["high"]
    assert told["rmse_low"] < told["rmse"] < told["rmse_high"]
    assert told["high"] - told["low"] < 0.3
