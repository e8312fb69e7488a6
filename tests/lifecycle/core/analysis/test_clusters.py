"""A caller's burst is one event, and fails nobody; many callers are worth what they are."""

import numpy as np
import pytest

from gateway.core.callers import BUCKETS, ERRORS, REQUESTS, by_bucket
from gateway.core.types import Outcome
from lifecycle.core.analysis.clusters import independence, late_independence
from lifecycle.core.analysis.evidence import Arm, Evidence, Segment
from lifecycle.core.analysis.guards import Guards, judge
from lifecycle.core.analysis.late import Labelled, Late, Numbers
from lifecycle.core.analysis.metrics import MetricGuard
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


PLAN = Guards(label_margin=0.05)
REVENUE = MetricGuard("feedback.revenue", "higher", (0.0, 1.0), 0.05)


def late_simulated(rng: np.random.Generator, *, keyed: bool) -> dict[str, Verdict]:
    """What late labels and numbers say of equal versions: half of all requests are kept, a third of the
    callers tells what came of all that was kept of theirs, and it is one caller's all alike."""
    sizes = np.minimum(rng.pareto(1.2, 300) * 5 + 1, 2_000).astype(int)
    ours = rng.random(300) < SHARE
    kept, tells, ill = rng.binomial(sizes, 0.5), rng.random(300) < 0.33, rng.random(300) < 0.2
    arms, labels, numbers = [], [], []
    for side in (ours, ~ours):
        counts = np.zeros((3, BUCKETS), np.int64)
        np.add.at(counts[REQUESTS], rng.integers(0, BUCKETS, int(side.sum())), sizes[side])
        arms.append(Arm(int(sizes[side].sum()), keyed=counts) if keyed else Arm(int(sizes[side].sum())))
        rows, wrong = int(kept[side & tells].sum()), int(kept[side & tells & ill].sum())
        labels.append(Labelled(rows, wrong))
        numbers.append(Numbers(rows, rows - wrong))
    late = Late(((labels[0], labels[1]),), {"revenue": ((numbers[0], numbers[1]),)}, int(kept.sum()))
    found = judge(Evidence((Segment(SHARE, False, arms[0], arms[1]),), late=late), PLAN, [REVENUE])
    return {finding.name: finding.verdict for finding in found}


@pytest.mark.parametrize("guard", ["labels", "feedback.revenue"])
def test_what_comes_late_of_a_few_callers_fails_no_equal_version(guard: str) -> None:
    def failed(*, keyed: bool) -> float:
        runs = (late_simulated(np.random.default_rng(seed), keyed=keyed) for seed in range(200))
        return sum(found[guard] is Verdict.FAIL for found in runs) / 200

    assert failed(keyed=True) <= 0.02
    assert failed(keyed=False) >= 0.1, "without keys equal versions are called unequal again and again"


def test_of_heavy_callers_what_was_kept_is_worth_more_the_less_it_is() -> None:
    sides = arm([1000] * 4, [0] * 4), arm([1000] * 16, [0] * 16)

    def worth(kept: int) -> float:
        return late_independence(Evidence((Segment(SHARE, False, *sides),), late=Late(kept=kept)))

    assert worth(20_000) == pytest.approx(1 / 1000, rel=0.2)
    assert worth(20) == pytest.approx(1 / 2, rel=0.2)  # two of each caller
    assert worth(0) == 1.0
    assert worth(40_000) == pytest.approx(worth(20_000) / 2, rel=0.01)  # requests of two rows


def test_without_keys_and_for_shadows_all_that_comes_late_counts() -> None:
    unkeyed = Segment(SHARE, False, Arm(1000), Arm(4000))
    shadowed = Segment(0.5, True, arm([1000], [0]), arm([1000], [0]))
    assert late_independence(Evidence((unkeyed, shadowed), late=Late(kept=5000))) == 1.0
    assert late_independence(Evidence()) == 1.0


def test_a_version_that_is_wrong_for_everybody_is_out_and_few_callers_hold() -> None:
    sides = arm([50] * 40, [0] * 40), arm([50] * 160, [0] * 160)

    def judged(wrong: int) -> Finding:
        labels = Labelled(2_000, wrong), Labelled(8_000, 400)
        evidence = Evidence((Segment(SHARE, False, *sides),), late=Late((labels,), kept=10_000))
        return next(finding for finding in judge(evidence, PLAN) if finding.name == "labels")

    assert judged(1_200).verdict is Verdict.FAIL
    held = judged(100)
    assert held.verdict is Verdict.INCONCLUSIVE
    assert "those of one routing key count as one" in held.reason
