"""A caller's burst is one event, and fails nobody; many callers are worth what they are."""

import numpy as np
import pytest

from gateway.core.callers import BUCKETS, ERRORS, REQUESTS, by_bucket
from gateway.core.types import Outcome
from lifecycle.core.analysis.clusters import independence
from lifecycle.core.analysis.evidence import Arm, Evidence, Segment
from lifecycle.core.analysis.guards import Guards, judge
from lifecycle.core.verdict import Finding, Verdict

SHARE = 0.2


def arm(sizes: list[int], bad: list[int]) -> Arm:
    """One arm with a key per entry: so many requests, so many of them failed."""
    seen = [
        (f"key-{number}-{sizes}", outcome)
        for number, (size, ill) in enumerate(zip(sizes, bad, strict=True))
        for outcome in [Outcome.SERVER_ERROR] * ill + [Outcome.OK] * (size - ill)
    ]
    return Arm(sum(sizes), sum(bad), keyed=by_bucket(seen))


def test_heavy_callers_are_few_observations() -> None:
    few = arm([1000] * 4, [0] * 4)
    assert independence([few], REQUESTS, few.requests) == pytest.approx(1 / 1000, rel=0.1)


def test_many_light_callers_are_nearly_all_of_their_requests() -> None:
    many = arm([1] * 5000, [0] * 5000)
    assert independence([many], REQUESTS, many.requests) > 0.6
    assert independence([Arm(100)], REQUESTS, 100) == 1.0


def test_requests_without_a_key_stand_for_themselves() -> None:
    mixed = Arm(1000).merge(arm([1000], [0]))
    assert independence([mixed], REQUESTS, 2000) == pytest.approx(2000 / (1000 + 1000**2), rel=0.01)


def errors(evidence: Evidence) -> Finding:
    return next(finding for finding in judge(evidence, Guards()) if finding.name == "errors")


def simulated(rng: np.random.Generator, clustered: bool) -> bool:
    """Whether equal versions are called unequal: keys of Pareto size, each failing whole or not at all."""
    sizes = np.minimum(rng.pareto(1.2, 300) * 5 + 1, 2_000).astype(int)
    ill = rng.random(300) < 0.01
    ours = rng.random(300) < SHARE
    arms = []
    for side in (ours, ~ours):
        counts = np.zeros((3, BUCKETS), np.int64)
        buckets = rng.integers(0, BUCKETS, int(side.sum()))
        np.add.at(counts[REQUESTS], buckets, sizes[side])
        np.add.at(counts[ERRORS], buckets, (sizes * ill)[side])
        made = Arm(int(sizes[side].sum()), int((sizes * ill)[side].sum()))
        arms.append(Arm(made.requests, made.errors, keyed=counts) if clustered else made)
    # A high bound, so that only the comparison of the arms can fail it.
    guards = Guards(error_slo=0.9)
    found = judge(Evidence((Segment(SHARE, False, *arms),), Arm(10_000, 100)), guards)
    return found[0].verdict is Verdict.FAIL


def test_bursts_of_a_few_callers_fail_no_equal_version() -> None:
    rng = np.random.default_rng(1)
    alarms = sum(simulated(rng, clustered=True) for _ in range(300)) / 300
    naive = sum(simulated(np.random.default_rng(seed), clustered=False) for seed in range(100)) / 100
    assert alarms <= 0.02
    assert naive >= 0.1, "without keys the same traffic is called unequal again and again"


def test_a_version_that_fails_everybody_is_out_however_few_call() -> None:
    ours, theirs = arm([50, 60, 40], [50, 60, 40]), arm([500] * 9, [0] * 9)
    assert errors(Evidence((Segment(SHARE, False, ours, theirs),))).verdict is Verdict.FAIL


def test_too_few_callers_hold_and_it_is_said() -> None:
    ours, theirs = arm([1000] * 3, [0] * 3), arm([1000] * 12, [0] * 12)
    held = errors(Evidence((Segment(SHARE, False, ours, theirs),), Arm(10_000)))
    assert held.verdict is Verdict.INCONCLUSIVE
    assert "those of one routing key count as one, so there were about 3" in held.reason
    unkeyed = errors(Evidence((Segment(SHARE, False, Arm(3000), Arm(12_000)),), Arm(10_000)))
    assert unkeyed.verdict is Verdict.PASS


def test_a_shadow_sees_every_key() -> None:
    sizes, none = [1000] * 3, [0] * 3
    shadowed = Evidence((Segment(0.5, True, arm(sizes, none), arm(sizes, none)),), Arm(10_000))
    assert errors(shadowed).verdict is Verdict.PASS
