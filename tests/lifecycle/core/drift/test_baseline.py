"""What the rate may have been before is learnt, and what comes after a change does not hide it."""

import numpy as np
import pytest

from lifecycle.core.analysis.bound import CERTAIN
from lifecycle.core.drift.baseline import Baseline


def fed(baseline: Baseline, bads: "np.ndarray[tuple[int], np.dtype[np.bool_]]") -> Baseline:
    for batch in bads.reshape(-1, 10):
        baseline = baseline.feed(float(batch.sum()), 10)
    return baseline


def test_a_small_reference_leaves_doubt_and_a_large_one_little() -> None:
    few, many = Baseline.of(3, 100).bound, Baseline.of(300, 10_000).bound
    assert 0.03 < many < 0.036 < few < 0.12
    assert Baseline.of().bound == Baseline.of(5, 5).bound == 1 - CERTAIN


def test_what_comes_live_replaces_a_reference_that_is_missing_small_or_worse() -> None:
    bads = np.random.default_rng(1).random(4_000) < 0.05
    for reference in ((0, 0), (10, 100), (200, 1_000)):
        bound = fed(Baseline.of(*reference), bads).bound
        assert 0.05 < bound < 0.075


def test_a_reference_that_fits_makes_the_bound_narrow_sooner() -> None:
    bads = np.random.default_rng(2).random(3_000) < 0.1
    alone, with_it = (fed(Baseline.of(*of), bads).bound for of in ((0, 0), (100, 1_000)))
    assert with_it < alone


def test_the_bound_never_rises_after_a_change() -> None:
    rng = np.random.default_rng(3)
    before = fed(Baseline.of(), rng.random(3_000) < 0.05)
    assert fed(before, rng.random(3_000) < 0.5).bound == before.bound


def test_the_bound_is_seldom_ever_below_a_rate_that_stays() -> None:
    rng = np.random.default_rng(4)
    below = 0
    for _ in range(200):
        reference = int(rng.binomial(200, 0.1))
        below += fed(Baseline.of(reference, 200), rng.random(1_000) < 0.1).bound < 0.1
    assert below <= 0.1 * 200


def test_batches_count_as_their_events_do() -> None:
    one, many = Baseline.of(1, 50), Baseline.of(1, 50)
    for _ in range(40):
        many = many.feed(2.0, 25)
        for bad in (1.0, 1.0, *[0.0] * 23):
            one = one.feed(bad, 1)
    assert (many.bad, many.total) == (one.bad, one.total)
    assert many.bound == pytest.approx(one.bound, rel=0.05)
