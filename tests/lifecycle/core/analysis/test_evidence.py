"""Evidence merges exactly and survives JSON."""

import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.core.profile import Profile
from gateway.core.summary import Window, latency_histogram
from gateway.core.types import Outcome, Role
from lifecycle.core.analysis.bins import common_bins
from lifecycle.core.analysis.evidence import Arm, Evidence, Segment

COUNT = st.integers(0, 1_000_000)


@st.composite
def arms(draw: st.DrawFn) -> Arm:
    def histogram(bins: int) -> list[int]:
        return draw(st.just([]) | st.lists(COUNT, min_size=bins, max_size=bins))

    latency, outputs = (np.array(histogram(bins), np.int64) for bins in (6, 3))
    return Arm(draw(COUNT), draw(COUNT), draw(COUNT), latency, outputs, draw(COUNT), draw(COUNT))


@given(arms(), arms(), arms())
def test_arms_merge_in_any_order_and_grouping(a: Arm, b: Arm, c: Arm) -> None:
    assert a.merge(b) == b.merge(a)
    assert a.merge(b).merge(c) == a.merge(b.merge(c))
    assert a.merge(Arm.EMPTY) == a


@given(arms(), arms(), arms())
def test_survives_json(a: Arm, b: Arm, c: Arm) -> None:
    evidence = Evidence((Segment(0.1, False, a, b), Segment(0.5, True, b, c)), c)
    assert Evidence.from_json(json.loads(json.dumps(evidence.as_json()))) == evidence


@given(arms(), arms())
def test_traffic_of_one_split_is_one_segment(a: Arm, b: Arm) -> None:
    evidence = Evidence().add(Segment(0.1, False, a, b)).add(Segment(0.5, False, b, a))
    evidence = evidence.add(Segment(0.1, False, b, a))
    assert {segment.share: segment.canary for segment in evidence.segments} == {0.1: a.merge(b), 0.5: b}


def test_histograms_of_different_bins_do_not_add() -> None:
    with pytest.raises(ValueError, match="3 and 2 bins"):
        Arm(outputs=np.ones(3, np.int64)).merge(Arm(outputs=np.ones(2, np.int64)))


def test_arms_are_equal_by_what_they_count() -> None:
    assert Arm(1) == Arm(1)
    assert hash(Arm(1)) == hash(Arm(1))
    assert Arm(1) != Arm(2)
    assert Arm(1) != "an arm"


@pytest.mark.parametrize("share", [0.0, 1.0, -0.1])
def test_a_segment_needs_a_share_of_both(share: float) -> None:
    with pytest.raises(ValueError, match="share"):
        Segment(share)


def test_an_arm_from_a_window_leaves_out_callers_mistakes_and_what_was_refused() -> None:
    answers = {"label": np.array([1, 2, 2], np.int64)}
    profile = Profile.of({"x": np.zeros((3, 1), np.float32)}, answers)
    outcomes = dict(zip(Outcome, (5, 2, 9, 1, 60), strict=True))
    latency = latency_histogram(np.full(7, 1_000_000))
    window = Window("m", 2, Role.CANARY, 1, 0.0, 5.0, outcomes, {}, latency, 7, profile.count({}, answers))
    bins = common_bins(profile, profile)
    assert bins is not None
    arm = Arm.of(window, bins[1])
    assert (arm.requests, arm.errors, arm.invalid) == (8, 1, 2)
    assert arm.latency.sum() == 7
    assert sorted(arm.outputs.tolist())[-2:] == [1, 2]
    assert not len(Arm.of(window).outputs)
    assert Arm.of(Window.empty("m", 2, Role.CANARY, 1), bins[1]) == Arm.EMPTY
