"""The rate-ratio e-process."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lifecycle.core.analysis.ratio import FACTORS, log_e_exceeds, log_e_no_worse, log_e_worse

COUNT = st.integers(0, 10_000)
SHARE = st.floats(0.01, 0.99)


def slow_e(canary: int, baseline: int, share: float, null: float) -> float:
    def p(ratio: float) -> float:
        return share * ratio / (share * ratio + 1 - share)

    terms = [
        (p(null * f) / p(null)) ** canary * ((1 - p(null * f)) / (1 - p(null))) ** baseline for f in FACTORS
    ]
    return sum(terms) / len(terms)


@pytest.mark.parametrize("null", [1.0, 1.5])
@pytest.mark.parametrize(("canary", "baseline"), [(0, 0), (3, 0), (0, 4), (5, 7)])
def test_equals_the_formula(canary: int, baseline: int, null: float) -> None:
    log_e = float(log_e_worse([canary], [baseline], [0.1], null))
    assert log_e == pytest.approx(math.log(slow_e(canary, baseline, 0.1, null)))


@given(COUNT, COUNT, SHARE)
def test_grows_with_bad_canary_events_and_falls_with_bad_baseline_events(c: int, b: int, w: float) -> None:
    now = float(log_e_worse([c], [b], [w]))
    assert float(log_e_worse([c + 1], [b], [w])) >= now - 1e-9
    assert float(log_e_worse([c], [b + 1], [w])) <= now + 1e-9


@given(COUNT, COUNT, COUNT, COUNT, SHARE)
def test_segments_of_one_share_count_as_one(c: int, b: int, c2: int, b2: int, w: float) -> None:
    apart = float(log_e_no_worse([c, c2], [b, b2], [w, w], 1.5))
    assert apart == pytest.approx(float(log_e_no_worse([c + c2], [b + b2], [w], 1.5)), abs=1e-6)


def test_stays_finite_for_ten_million_events() -> None:
    assert float(log_e_worse([10_000_000], [0], [0.5])) > 1e6
    assert -math.inf < float(log_e_worse([0], [10_000_000], [0.5])) < -1e6


def test_nothing_seen_says_nothing() -> None:
    assert float(log_e_worse([], [], [])) == pytest.approx(0.0)
    assert float(log_e_no_worse([0], [0], [0.5], 1.5)) == pytest.approx(0.0)


def test_expectation_under_the_null_is_one() -> None:
    # Exact: all outcomes of six bad events, each the canary's with its share.
    w, n = 0.3, 6
    mean = sum(
        math.comb(n, k) * w**k * (1 - w) ** (n - k) * math.exp(float(log_e_worse([k], [n - k], [w])))
        for k in range(n + 1)
    )
    assert mean == pytest.approx(1.0)


def test_equal_arms_rarely_alarm_although_looked_at_after_every_event() -> None:
    rng = np.random.default_rng(7)
    ours = np.cumsum(rng.random((2000, 300)) < 0.1, axis=1)
    theirs = np.arange(1, 301) - ours
    alarms = (log_e_worse(ours[..., None], theirs[..., None], [0.1]) >= math.log(20)).any(axis=1)
    assert alarms.mean() <= 0.05


def test_what_is_below_a_threshold_tells_as_well_as_what_is_above() -> None:
    ours, theirs = np.array([300.0]), np.array([250.0])
    rest = 500 - ours, 500 - theirs
    alone = log_e_worse(ours, theirs, 0.5)
    assert log_e_exceeds((ours, rest[0]), (theirs, rest[1]), 0.5, 0.5) > alone + 1


def test_it_equals_the_formula_on_one_request_of_each_kind() -> None:
    mean = 0.0
    for factor in FACTORS:
        raised = factor * 0.2 / (0.8 + factor * 0.2)
        up, down = raised / 0.2, (1 - raised) / 0.8
        mean += up / (0.3 * up + 0.7) * 1 / (0.3 * down + 0.7) / len(FACTORS)
    one, none = np.array([1.0]), np.array([0.0])
    found = log_e_exceeds((one, none), (none, one), 0.3, 0.2)
    assert float(found) == pytest.approx(math.log(mean))


def test_equal_arms_seldom_differ_at_any_look_at_all_their_requests() -> None:
    rng = np.random.default_rng(8)
    alarms = 0
    for _ in range(300):
        over, ours = rng.random(3_000) < 0.1, rng.random(3_000) < 0.2
        kinds = (over & ours, ~over & ours, over & ~ours, ~over & ~ours)
        a, b, c, d = (np.cumsum(kind)[9::10, None] for kind in kinds)
        alarms += bool((log_e_exceeds((a, b), (c, d), 0.2, 0.1) >= math.log(20)).any())
    assert alarms <= 15 + 11  # 5 %, and three standard errors
