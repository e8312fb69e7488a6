"""Realised performance by cohort."""

import math

import numpy as np
import pytest

from lifecycle.core.performance.realised import Cohort, cohorts


def cohort(right: int, labelled: int) -> Cohort:
    (found,) = cohorts(
        np.arange(labelled) < right, np.zeros(labelled), np.zeros(labelled), width_s=60, now=100.0
    )
    return found


def test_cohorts_go_by_prediction_time_with_coverage_and_maturity() -> None:
    found = cohorts(
        np.array([True, False, True]),
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
    assert found[0].accuracy == 0.5
    assert math.isnan(found[2].accuracy)


def test_wilson_interval() -> None:
    found = cohort(81, 100)
    # Agresti and Coull 1998, the score interval.
    assert (found.low, found.high) == pytest.approx((0.7222, 0.8749), abs=1e-3)
    assert cohort(100, 100).high == 1.0
