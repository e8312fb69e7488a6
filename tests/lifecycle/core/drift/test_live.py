"""The newest counts against the reference, with bins in the order that the tests need."""

import numpy as np
import pytest

from gateway.core.profile import Profile
from gateway.core.types import Array
from lifecycle.core.drift.live import NEWEST_ROWS, LiveCounts
from lifecycle.core.drift.report import DriftReport
from lifecycle.core.verdict import Verdict


def rows(n: int, shift: float = 0.0, seed: int = 0) -> Array:
    return np.random.default_rng(seed).normal(shift, 1.0, (n, 2))


PROFILE = Profile.of({"x": rows(5_000)}, {"label": np.arange(5_000) % 3})


def add(live: LiveCounts, n: int, shift: float = 0.0, *, seed: int = 1, label: Array | None = None) -> None:
    outputs = {"label": np.arange(n) % 3 if label is None else label}
    live.add(PROFILE.count({"x": rows(n, shift, seed)}, outputs))


def judged(live: LiveCounts) -> DriftReport:
    report = live.judge(0.05, 0.03)
    assert report is not None
    return report


def test_like_the_reference_is_no_drift() -> None:
    live = LiveCounts(PROFILE)
    add(live, 1_000)
    report = judged(live)
    assert report.verdict is Verdict.PASS
    assert [feature.name for feature in report.features] == ["x[0]", "x[1]", "label"]


@pytest.mark.parametrize("shift", [-0.5, 0.5, 20.0, -20.0])
def test_a_shift_is_drift_of_the_inputs(shift: float) -> None:
    live = LiveCounts(PROFILE)
    add(live, 1_000, shift)
    assert {feature.name for feature in judged(live).drifted} == {"x[0]", "x[1]"}


def test_another_mix_of_classes_is_drift_of_the_output() -> None:
    live = LiveCounts(PROFILE)
    add(live, 1_000, label=np.zeros(1_000, np.int64))
    assert [feature.name for feature in judged(live).drifted] == ["label"]


def test_above_is_at_the_far_end_from_below() -> None:
    """Half below and half above moves the distribution function by a half at both ends."""
    live = LiveCounts(PROFILE)
    x = np.where(np.arange(1_000)[:, None] % 2, 50.0, -50.0) * np.ones((1, 2))
    live.add(PROFILE.count({"x": x}, {"label": np.arange(1_000) % 3}))
    assert judged(live).features[0].statistic == pytest.approx(0.5, abs=0.01)


def test_old_rows_are_forgotten() -> None:
    live = LiveCounts(PROFILE)
    for seed in range(10):
        add(live, 500, 3.0, seed=seed)
    for seed in range(4):
        add(live, 500, seed=10 + seed)
    assert live.rows == NEWEST_ROWS
    assert judged(live).verdict is Verdict.PASS


def test_a_second_look_needs_new_rows() -> None:
    live = LiveCounts(PROFILE)
    add(live, 1_000)
    judged(live)
    add(live, 99)
    assert live.judge(0.05, 0.03) is None
    add(live, 1)
    judged(live)


def test_counts_of_other_bins_are_ignored() -> None:
    live = LiveCounts(PROFILE)
    live.add({"inputs.x": np.ones((3, 5), np.int64), "inputs.other": np.ones((1, 9), np.int64)})
    assert live.rows == 0
