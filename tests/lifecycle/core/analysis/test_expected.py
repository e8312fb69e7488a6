"""Expected counts keep the proportions of what they are made from."""

import numpy as np
import pytest

from gateway.core.summary import latency_histogram, quantile
from lifecycle.core.analysis.evidence import Arm
from lifecycle.core.analysis.expected import Regression, expected

LATENCIES = latency_histogram(
    (3e6 * np.exp(0.5 * np.random.default_rng(1).standard_normal(9_950))).astype(np.int64)
)
SEEN = Arm(10_000, 50, 10, LATENCIES, np.array([0, 5_000, 4_940]))


@pytest.mark.parametrize("requests", [100, 10_000, 1_000_000])
def test_everything_scales_with_the_requests(requests: int) -> None:
    arm = expected(SEEN, requests)
    assert (arm.requests, arm.errors) == (requests, round(requests * 0.005))
    assert arm.latency.sum() == pytest.approx(requests * 0.995, abs=1)
    assert quantile(arm.latency, 0.5) == pytest.approx(quantile(SEEN.latency, 0.5), rel=0.06)
    assert arm.outputs[1] == pytest.approx(requests / 2, abs=1)


def test_a_regression_is_worse_in_what_it_names() -> None:
    worse = expected(SEEN, 10_000, Regression(error_rate=0.02, slower=1.5))
    assert worse.errors == 200
    assert worse.latency.sum() == 9_800
    assert quantile(worse.latency, 0.9) == pytest.approx(1.5 * quantile(SEEN.latency, 0.9), rel=0.06)


def test_nothing_seen_is_nothing_expected() -> None:
    assert expected(Arm.EMPTY, 1_000) == Arm.EMPTY
