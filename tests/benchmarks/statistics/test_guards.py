"""The traffic that rollouts are simulated on is as unequal as it says, and no more."""

import numpy as np
import pytest

from benchmarks.statistics.guards import STRICT, Traffic, Version, rolled_back
from gateway.core.summary import quantile


@pytest.mark.parametrize("share", [0.1, 0.5])
def test_arms_get_their_share_and_their_rates(share: float) -> None:
    traffic = Traffic(np.random.default_rng(1), Version(), Version(0.05), 350_000.0)
    canary, baseline = traffic.window(100_000, share)
    assert canary.requests == pytest.approx(100_000 * share, rel=0.01)
    assert baseline.errors / baseline.requests == pytest.approx(0.005, rel=0.2)
    assert canary.errors / canary.requests == pytest.approx(0.05, rel=0.2)


def test_a_small_share_costs_an_equal_version_thirty_microseconds() -> None:
    traffic = Traffic(np.random.default_rng(1), Version(), Version(), 350_000.0)
    canary, baseline = traffic.window(200_000, 0.1)
    assert quantile(canary.latency, 0.5) - quantile(baseline.latency, 0.5) == pytest.approx(30_000, rel=0.3)


def test_equal_versions_stay_and_a_bad_one_goes_by_its_own_guard() -> None:
    rng = np.random.default_rng(2)
    times, _ = rolled_back(rng, 4, 0.1, Version(), STRICT, 10.0)
    assert np.isinf(times).all()
    times, names = rolled_back(rng, 4, 0.5, Version(0.05), STRICT, 20.0)
    assert np.isfinite(times).all()
    assert set(names) == {"errors"}
