"""The guard on a rate of bad requests, and the share that its tests rest on."""

import numpy as np
import pytest

from gateway.core.callers import ERRORS
from lifecycle.core.analysis.evidence import Arm, Evidence, Segment
from lifecycle.core.analysis.rates import exposed, judge_rate
from lifecycle.core.verdict import Finding, Verdict


def judged(canary: Arm, baseline: Arm, reference: Arm = Arm.EMPTY, share: float = 0.5) -> Finding:
    return judge_rate(
        "errors",
        lambda arm: arm.errors,
        ERRORS,
        Evidence((Segment(share, False, canary, baseline),), reference),
        slo=0.01,
        margin=0.005,
        alpha_harm=0.0125,
        alpha_clear=0.05,
    )


def test_the_share_is_the_traffic_each_arm_really_had() -> None:
    segments = (Segment(0.1, False, Arm(20), Arm(60)), Segment(0.5, False, Arm(5)), Segment(0.2))
    assert [share for _, share in exposed(segments, lambda arm: arm.requests)] == [0.25]


@pytest.mark.parametrize(
    ("reference", "limit"),
    [
        (Arm.EMPTY, 0.015),
        (Arm(100_000, errors=100), 0.015),
        (Arm(10, errors=1), 0.015),
        (Arm(1_000_000, errors=50_000), 0.054),
    ],
)
def test_the_limit_follows_the_champion_only_when_it_is_known(reference: Arm, limit: float) -> None:
    assert judged(Arm(100), Arm.EMPTY, reference).numbers["limit_rate"] == pytest.approx(limit, abs=5e-4)


def test_a_canary_without_a_baseline_fails_above_the_bound() -> None:
    assert judged(Arm(500, errors=50), Arm.EMPTY).verdict is Verdict.FAIL
    assert judged(Arm(500), Arm.EMPTY).verdict is Verdict.PASS
    assert judged(Arm.EMPTY, Arm(500)).verdict is Verdict.INCONCLUSIVE


def test_an_equal_of_a_champion_that_is_bad_and_little_known_seldom_fails() -> None:
    rng, failed = np.random.default_rng(1), 0
    for _ in range(20):
        own = other = Arm.EMPTY
        for _ in range(25):
            own = own.merge(Arm(495, int(rng.binomial(495, 0.03))))
            other = other.merge(Arm(5, int(rng.binomial(5, 0.03))))
            if judged(own, other, share=0.99).verdict is Verdict.FAIL:
                failed += 1
                break
    assert failed <= 1


def cleared(rng: np.random.Generator, canary: float, champion: float) -> bool:
    """Whether a version passes at any of 40 looks before it fails, a thousand requests of each arm apart."""
    own, other, reference = Arm.EMPTY, Arm.EMPTY, Arm(5_000, int(rng.binomial(5_000, champion)))
    for _ in range(40):
        own = own.merge(Arm(1_000, int(rng.binomial(1_000, canary))))
        other = other.merge(Arm(1_000, int(rng.binomial(1_000, champion))))
        verdict = judged(own, other, reference).verdict
        if verdict is not Verdict.INCONCLUSIVE:
            return verdict is Verdict.PASS
    return False


@pytest.mark.parametrize("champion", [0.002, 0.01, 0.02])
def test_a_version_that_lacks_the_whole_margin_seldom_passes_whatever_the_champion_does(
    champion: float,
) -> None:
    rng = np.random.default_rng(1)
    harmful = max(champion, 0.01) + 0.005
    assert sum(cleared(rng, harmful, champion) for _ in range(40)) <= 4
