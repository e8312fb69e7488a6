"""The guard on shadow pairs tells by default, and judges at a limit."""

import numpy as np
import pytest

from lifecycle.core.analysis.disagreement import asks, judge_disagreement, question
from lifecycle.core.analysis.evidence import Arm, Evidence, Segment
from lifecycle.core.analysis.guards import Guards, judge
from lifecycle.core.verdict import Finding, Verdict


def evidence(
    pairs: int, differing: int, *, paired: bool = True, classed: int = 0, apart: float = 0.0
) -> Evidence:
    shadow = Arm(max(pairs, 1), pairs=pairs, differing=differing, classed=classed, apart=apart)
    return Evidence((Segment(0.5, paired, shadow, Arm(requests=pairs)),))


@pytest.mark.parametrize(
    ("pairs", "differing", "limit", "verdict"),
    [
        (1000, 900, 1.0, Verdict.PASS),
        (1000, 300, 0.1, Verdict.FAIL),
        (1000, 10, 0.1, Verdict.PASS),
        (1000, 100, 0.1, Verdict.INCONCLUSIVE),
        (3, 3, 0.5, Verdict.INCONCLUSIVE),
        (0, 0, 0.5, Verdict.INCONCLUSIVE),
    ],
)
def test_its_verdicts(pairs: int, differing: int, limit: float, verdict: Verdict) -> None:
    finding = judge_disagreement(evidence(pairs, differing), limit, 0.2, 0.01, 0.05)
    assert finding is not None
    assert finding.verdict is verdict
    if pairs:
        assert finding.numbers["rate"] == differing / pairs


def test_without_a_shadow_there_is_nothing_to_tell() -> None:
    assert judge_disagreement(evidence(0, 0, paired=False), 0.1, 0.2, 0.01, 0.05) is None
    assert "disagreement" not in [finding.name for finding in judge(evidence(0, 0), Guards())]


def test_a_rollout_reads_it_among_its_findings() -> None:
    told = {f.name: f for f in judge(evidence(1000, 300), Guards())}["disagreement"]
    assert told.reason.startswith("30.0% of 1000 shadow answers differ")
    failed = {f.name: f for f in judge(evidence(1000, 300), Guards(disagreement_fail=0.1))}
    assert failed["disagreement"].verdict is Verdict.FAIL


def classes(pairs: int, apart: float, guards: Guards | None = None) -> Finding:
    """What is said of so many shadow answers that name classes."""
    seen = evidence(pairs, round(apart), classed=pairs, apart=apart)
    return {f.name: f for f in judge(seen, guards or Guards())}["disagreement"]


def test_classes_that_a_better_version_might_name_pass_and_swapped_ones_ask_a_person() -> None:
    assert classes(100, 8).verdict is Verdict.PASS
    assert classes(100, 18).verdict is Verdict.INCONCLUSIVE
    assert not asks(classes(100, 18))
    swapped = classes(100, 50)
    assert swapped.verdict is Verdict.INCONCLUSIVE
    assert asks(swapped)
    assert swapped.reason.startswith("50.0% of 100 shadow answers name another class than the champion's")
    assert "`headrace version validate m 2`" in question(swapped, "m", 2)


def test_a_plan_may_allow_other_classes_or_fail_them() -> None:
    assert classes(1000, 500, Guards(disagreement_hold=1.0)).verdict is Verdict.PASS
    assert classes(1000, 500, Guards(disagreement_fail=0.3)).verdict is Verdict.FAIL
    held = classes(1000, 500, Guards(disagreement_fail=0.9))
    assert asks(held)
    assert classes(1000, 100, Guards(disagreement_fail=0.9)).verdict is Verdict.PASS


def test_numbers_that_differ_ask_nobody() -> None:
    told = {f.name: f for f in judge(evidence(1000, 1000), Guards())}["disagreement"]
    assert told.verdict is Verdict.PASS


def asked_at_some_look(share: float, runs: int, pairs: int = 2000, rows: int = 1) -> float:
    """How many of so many rollouts ask a person, looked at after every 40 pairs."""
    chance = np.random.default_rng(3)
    apart = np.cumsum(chance.binomial(rows, share, (runs, pairs)) / rows, axis=1)[:, 19::40]
    looks = np.arange(20, pairs + 1, 40)
    asked = 0
    for run in apart:
        seen = (evidence(n, 0, classed=n, apart=a) for n, a in zip(looks.tolist(), run.tolist(), strict=True))
        found = (judge_disagreement(each, 1.0, 0.2, 0.01, 0.05) for each in seen)
        asked += any(asks(finding) for finding in found if finding)
    return asked / runs


def test_versions_that_differ_by_no_more_than_the_limit_seldom_ask() -> None:
    assert asked_at_some_look(0.05, 40) == 0.0
    assert asked_at_some_look(0.2, 100) <= 0.05
    assert asked_at_some_look(0.2, 40, rows=8) <= 0.05


@pytest.mark.parametrize(("kinds", "pairs"), [(2, 20), (3, 60), (5, 400)])
def test_two_swapped_classes_of_equal_share_ask(kinds: int, pairs: int) -> None:
    assert asked_at_some_look(2 / kinds, 40, pairs=pairs) >= 0.95


@pytest.mark.parametrize("name", ["disagreement_fail", "disagreement_hold"])
@pytest.mark.parametrize("limit", [0.0, 1.1])
def test_a_limit_is_a_share(name: str, limit: float) -> None:
    with pytest.raises(ValueError, match=name):
        Guards(**{name: limit})
