"""The guard on a latency quantile."""

import numpy as np
import pytest

from gateway.core.summary import latency_histogram
from lifecycle.core.analysis.evidence import Arm, Evidence, Segment
from lifecycle.core.analysis.latency import judge_latency
from lifecycle.core.verdict import Finding, Verdict


def arm(*groups: tuple[int, float]) -> Arm:
    """An arm of (requests, milliseconds)."""
    counts = sum((latency_histogram(np.full(n, int(ms * 1e6))) for n, ms in groups), np.zeros(322, np.int64))
    return Arm(int(counts.sum()), latency=counts)


def judged(
    q: float, canary: Arm, baseline: Arm, reference: Arm, tolerance: float = 0.25, slack_ms: float = 1.0
) -> Finding:
    return judge_latency(
        q,
        Evidence((Segment(0.5, False, canary, baseline),), reference),
        tolerance=tolerance,
        slack_ms=slack_ms,
        margin=0.01,
        alpha_harm=0.003,
        alpha_clear=0.05,
    )


@pytest.mark.parametrize(
    ("ms", "verdict"), [(10.0, Verdict.PASS), (12.0, Verdict.PASS), (20.0, Verdict.FAIL)]
)
def test_constant_latencies_pass_up_to_the_tolerance(ms: float, verdict: Verdict) -> None:
    steady = arm((1000, 10.0))
    assert judged(0.95, arm((1000, ms)), steady, steady).verdict is verdict


def test_a_fast_model_may_be_slower_by_the_slack() -> None:
    steady = arm((1000, 0.1))
    assert judged(0.5, arm((1000, 1.0)), steady, steady).verdict is Verdict.PASS
    assert judged(0.5, arm((1000, 2.0)), steady, steady).verdict is Verdict.FAIL


def test_a_slow_tail_fails_the_quantile_that_it_reaches_only() -> None:
    steady, tailed = arm((5000, 10.0)), arm((4800, 10.0), (200, 100.0))
    assert judged(0.99, tailed, steady, steady).verdict is Verdict.FAIL
    assert judged(0.9, tailed, steady, steady).verdict is Verdict.PASS


def test_a_champion_seen_too_little_is_not_judged_against() -> None:
    finding = judged(0.99, arm((1000, 10.0)), Arm.EMPTY, arm((100, 10.0)))
    assert finding.verdict is Verdict.INCONCLUSIVE
    assert "not known" in finding.reason


def test_a_version_that_lacks_the_whole_margin_seldom_passes() -> None:
    rng, passed = np.random.default_rng(3), 0
    for _ in range(20):
        canary = champion = arm()
        for n in np.geomspace(50, 3_000, 40).astype(int).tolist():
            slow = int(rng.binomial(n, 0.5 + 0.125))  # of the median the margin is a quarter of its half
            canary = canary.merge(arm((slow, 1_000.0), (n - slow, 5.0)))
            drawn = rng.lognormal(np.log(5e6), 0.5, n).astype(np.int64)
            champion = champion.merge(Arm(n, latency=latency_histogram(drawn)))
            if judged(0.5, canary, champion, Arm.EMPTY).verdict is Verdict.PASS:
                passed += 1
                break
    assert passed <= 2


def test_cold_caches_fail_nobody_even_where_nothing_is_tolerated() -> None:
    steady = arm((4500, 0.35), (4500, 0.40))
    strict = {"tolerance": 0.0, "slack_ms": 0.0}
    for q in (0.5, 0.95):
        cold = judged(q, arm((500, 0.38), (500, 0.43)), steady, steady, **strict)
        assert cold.verdict is not Verdict.FAIL
        slow = judged(q, arm((500, 0.45), (500, 0.52)), steady, steady, **strict)
        assert slow.verdict is Verdict.FAIL


def test_a_champion_that_became_faster_does_not_hide_a_slower_canary() -> None:
    was, now = arm((2_000, 30.0)), arm((2_000, 10.0))
    assert judged(0.5, arm((1_000, 20.0)), now, was).verdict is Verdict.FAIL
    assert judged(0.5, arm((1_000, 10.0)), now, was).verdict is Verdict.PASS


def test_each_share_is_told_with_the_latency_that_it_is_above() -> None:
    """The canary's threshold is raised, so that the champion's share of its own would be false of it."""
    steady = arm((950, 10.0), (50, 11.0))
    said = judged(0.9, arm((960, 10.0), (40, 20.0)), steady, steady).reason
    assert said.startswith("canary 4.000% slower than 14.3 ms, champion 5.000% than 10.2 ms"), said
