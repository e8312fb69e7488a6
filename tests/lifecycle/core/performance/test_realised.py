"""Realised performance by cohort."""

import math

import numpy as np
import pytest

from lifecycle.core.performance.realised import Cohort, Metric, cohorts, loss_change
from lifecycle.core.verdict import Verdict


def cohort(right: int, labelled: int, *, mature: bool = True, predictions: int | None = None) -> Cohort:
    made = predictions or labelled
    labels = np.append(np.ones(right), np.zeros(labelled - right))
    return cohorts(
        labels,
        np.ones(labelled),
        np.zeros(labelled),
        np.zeros(made),
        metric=Metric.ACCURACY,
        width_s=60,
        now=100.0 if mature else 30.0,
    )[0]


def test_cohorts_go_by_prediction_time_with_coverage_and_maturity() -> None:
    found = cohorts(
        np.array(["a", "b", "b"]),
        np.array(["a", "a", "b"]),
        np.array([0.0, 10.0, 70.0]),
        np.array([0.0, 10.0, 20.0, 30.0, 70.0, 130.0]),
        metric=Metric.ACCURACY,
        width_s=60,
        now=150.0,
        label_delay_s=30.0,
    )
    assert [(c.start, c.end, c.predictions, c.labelled) for c in found] == [
        (0, 60, 4, 2),
        (60, 120, 1, 1),
        (120, 180, 1, 0),
    ]
    assert [c.mature for c in found] == [True, True, False]
    assert found[0].coverage == 0.5
    assert found[0].value == 0.5
    assert math.isnan(found[2].value)


def test_wilson_interval() -> None:
    found = cohort(81, 100)
    # Agresti and Coull 1998, the score interval.
    assert (found.low, found.high) == pytest.approx((0.7222, 0.8749), abs=1e-3)
    assert cohort(100, 100).high == 1.0


def test_mean_absolute_error_and_its_interval() -> None:
    found = cohorts(
        np.array([1.0, 2.0, 3.0, 4.0]),
        np.array([2.0, 2.0, 5.0, 3.0]),
        np.zeros(4),
        np.zeros(4),
        metric=Metric.MAE,
        width_s=60,
        now=100.0,
    )[0]
    assert found.value == 1.0
    assert found.low < 1.0 < found.high
    assert loss_change(5.0, found).verdict is Verdict.PASS
    assert loss_change(0.05, found).verdict is Verdict.FAIL
    assert loss_change(1.0, found).verdict is Verdict.INCONCLUSIVE


@pytest.mark.parametrize(
    ("right", "labelled", "verdict"),
    [
        (1900, 2000, Verdict.PASS),
        (1600, 2000, Verdict.FAIL),
        (185, 200, Verdict.INCONCLUSIVE),
        (3, 4, Verdict.INCONCLUSIVE),
    ],
)
def test_loss_against_a_reference_of_95_percent(right: int, labelled: int, verdict: Verdict) -> None:
    assert loss_change(0.95, cohort(right, labelled)).verdict is verdict


def test_unripe_or_thin_cohorts_are_never_judged() -> None:
    assert loss_change(0.95, cohort(100, 2000, mature=False)).verdict is Verdict.INCONCLUSIVE
    thin = loss_change(0.95, cohort(100, 2000, predictions=100_000), min_coverage=0.1)
    assert thin.verdict is Verdict.INCONCLUSIVE
    assert "only 2% have labels" in thin.reason
    assert loss_change(0.95, cohort(0, 0, predictions=5)).reason == "no labels yet"


def test_a_steady_version_is_rarely_failed_although_looked_at_often() -> None:
    failed = 0
    for seed in range(60):
        right = np.cumsum(np.random.default_rng(seed).random(2000) < 0.93)
        looks = range(50, 2001, 50)
        failed += any(loss_change(0.95, cohort(int(right[n - 1]), n)).verdict is Verdict.FAIL for n in looks)
    assert failed <= 3
