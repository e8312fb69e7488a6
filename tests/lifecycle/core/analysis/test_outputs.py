"""Do the outputs differ, and by how much."""

import math

import numpy as np
import pytest

from lifecycle.core.analysis.outputs import effect, log_e_differ


def test_expectation_under_equal_distributions_is_one_for_one_bin() -> None:
    n, w = 7, 0.3
    e = np.exp([float(log_e_differ([k], [n - k], w)) for k in range(n + 1)])
    chances = [math.comb(n, k) * w**k * (1 - w) ** (n - k) for k in range(n + 1)]
    assert float(np.dot(chances, e)) == pytest.approx(1.0)


def test_equal_outputs_are_quiet_and_shifted_ones_are_found() -> None:
    equal, shifted = np.full(10, 100.0), np.full(10, 100.0)
    shifted[0] += 100
    shifted[1:] -= 100 / 9
    assert float(log_e_differ(equal, equal, 0.5)) < 0
    assert float(log_e_differ(shifted, equal, 0.5)) > math.log(20)


def test_equal_arms_rarely_alarm_at_any_look() -> None:
    rng = np.random.default_rng(11)
    n = rng.binomial(25, 0.1, (400, 100))
    ours = np.cumsum(rng.multinomial(n, [0.25] * 4), axis=1)
    theirs = np.cumsum(rng.multinomial(25 - n, [0.25] * 4), axis=1)
    assert (log_e_differ(ours, theirs, 0.1) >= math.log(20)).any(axis=1).mean() <= 0.05


def test_the_effect_is_the_distance_within_its_bounds() -> None:
    canary, baseline = np.array([[500.0, 500.0]]), np.array([[800.0, 200.0]])
    found = effect(canary, baseline, np.ones(1), 0.05)
    assert found.distance == pytest.approx(0.3)
    assert found.low < 0.3 < found.high
    wide = effect(canary, baseline, np.full(1, 0.1), 0.05)
    assert wide.low < found.low
    assert wide.high > found.high


def test_traffic_that_shifts_between_segments_is_no_effect() -> None:
    # Inputs change with the split: pooled counts would differ although no segment's do.
    canary = np.array([[90.0, 10.0], [100.0, 900.0]])
    baseline = np.array([[810.0, 90.0], [100.0, 900.0]])
    assert effect(canary, baseline, np.ones(2), 0.05).distance == pytest.approx(0.0)
