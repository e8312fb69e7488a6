"""The drift report."""

import json

import numpy as np
from numpy.typing import NDArray

from gateway.core.binning import Bin
from gateway.core.profile import Profile
from lifecycle.core.drift.report import DriftReport, judge
from lifecycle.core.verdict import Verdict

NAMES = ["still", "moved", "other"]


def rows(count: int, shift: float = 0.0, seed: int = 0) -> dict[str, NDArray[np.float32]]:
    values = np.random.default_rng(seed).standard_normal((count, 3)).astype(np.float32)
    values[:, 1] += shift
    return {"x": values}


PROFILE = Profile.of(rows(20_000), {})


def report(count: int, shift: float, seed: int = 1) -> DriftReport:
    live = PROFILE.count(rows(count, shift, seed), {})["inputs.x"]
    return judge(PROFILE.reference["inputs.x"], live, PROFILE.ordered("inputs.x"), NAMES)


def test_only_the_feature_that_moved_is_named() -> None:
    found = report(5000, 0.4)
    assert found.verdict is Verdict.FAIL
    assert [feature.name for feature in found.drifted] == ["moved"]
    assert found.reason == "drift on 1 of 3 features"


def test_unmoved_inputs_never_alarm() -> None:
    for seed in range(2, 32):
        assert report(1000, 0.0, seed).verdict is Verdict.PASS


def test_significant_but_tiny_is_no_drift() -> None:
    found = report(200_000, 0.05)
    assert found.features[1].p_value < 1e-6
    assert found.verdict is Verdict.PASS


def test_too_few_rows_are_inconclusive_even_if_they_all_moved() -> None:
    found = report(200, 3.0)
    assert found.verdict is Verdict.INCONCLUSIVE
    assert found.reason == "200 rows seen; 300 more are needed"
    assert found.drifted == ()


def test_values_past_the_reference_are_in_order_with_the_rest() -> None:
    # A shift upwards fills ABOVE, which stands before the value bins in the counts.
    found = report(5000, 6.0)
    assert found.features[1].statistic > 0.95


def test_missing_values_and_new_categories_are_drift() -> None:
    reference = np.zeros((2, Bin.FIRST + 4), np.int64)
    reference[:, Bin.FIRST :] = 5000
    live = reference // 10
    live[0, Bin.NAN] = 400
    live[1, Bin.UNSEEN] = 400
    found = judge(reference, live, np.array([True, False]), ["number", "category"])
    assert {feature.name for feature in found.drifted} == {"number", "category"}


def test_no_features_and_json() -> None:
    nothing = np.zeros((0, Bin.FIRST), np.int64)
    assert judge(nothing, nothing, np.zeros(0, np.bool_), []).verdict is Verdict.INCONCLUSIVE
    assert json.loads(json.dumps(report(5000, 0.4).as_json()))["verdict"] == "FAIL"
