"""The absolute bound."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lifecycle.core.analysis.bound import log_e_above, log_e_below, upper_bound


@pytest.mark.parametrize(("bound", "needed"), [(0.002, 1968), (0.005, 786), (0.01, 392), (0.02, 195)])
def test_an_error_free_canary_clears_after_the_known_number_of_requests(bound: float, needed: int) -> None:
    log_e = log_e_below(np.zeros(2000), np.arange(1, 2001), bound)
    assert int(np.argmax(log_e >= math.log(20))) + 1 == needed


def test_expectation_at_the_bound_is_one() -> None:
    n, bound = 8, 0.3
    chances = [math.comb(n, k) * bound**k * (1 - bound) ** (n - k) for k in range(n + 1)]
    for log_e in (log_e_below, log_e_above):
        e = np.exp(log_e(np.arange(n + 1), np.full(n + 1, n), bound))
        assert float(np.dot(chances, e)) == pytest.approx(1.0)


def test_each_bad_event_speaks_for_above_and_against_below() -> None:
    bad = np.arange(0, 50)
    assert np.all(np.diff(log_e_below(bad, 1000, 0.01)) < 0)
    assert np.all(np.diff(log_e_above(bad, 1000, 0.01)) > 0)


def test_stays_finite_for_ten_million_events() -> None:
    assert np.isfinite(log_e_below([0, 10_000_000], 10_000_000, 0.01)).all()
    assert np.isfinite(log_e_above([0, 10_000_000], 10_000_000, 0.5)).all()


@given(st.integers(0, 200), st.integers(0, 5000))
def test_the_upper_bound_holds_the_observed_rate(bad: int, fine: int) -> None:
    high = upper_bound(bad, bad + fine, 0.05)
    assert (bad / (bad + fine) if bad + fine else 0.0) <= high <= 1.0


def test_the_upper_bound_tightens_with_events_and_loosens_with_confidence() -> None:
    assert upper_bound(0, 0, 0.05) == 1.0
    assert upper_bound(10, 1000, 0.05) > upper_bound(100, 10_000, 0.05) > 0.01
    assert upper_bound(10, 1000, 0.01) > upper_bound(10, 1000, 0.05)


def test_the_upper_bound_is_rarely_wrong_at_any_look() -> None:
    rng = np.random.default_rng(3)
    looks = np.arange(50, 2001, 50)
    missed = 0
    for _ in range(200):
        bad = np.cumsum(rng.random(2000) < 0.02)[looks - 1]
        missed += any(upper_bound(int(x), int(n), 0.05) < 0.02 for x, n in zip(bad, looks, strict=True))
    assert missed / 200 <= 0.05
