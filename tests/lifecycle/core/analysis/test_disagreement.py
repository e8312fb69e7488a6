"""The guard on shadow pairs tells by default, and judges at a limit."""

import pytest

from lifecycle.core.analysis.disagreement import judge_disagreement
from lifecycle.core.analysis.evidence import Arm, Evidence, Segment
from lifecycle.core.analysis.guards import Guards, judge
from lifecycle.core.verdict import Verdict


def evidence(pairs: int, differing: int, *, paired: bool = True) -> Evidence:
    shadow = Arm(requests=max(pairs, 1), pairs=pairs, differing=differing)
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
    finding = judge_disagreement(evidence(pairs, differing), limit, 0.01, 0.05)
    assert finding is not None
    assert finding.verdict is verdict
    if pairs:
        assert finding.numbers["rate"] == differing / pairs


def test_without_a_shadow_there_is_nothing_to_tell() -> None:
    assert judge_disagreement(evidence(0, 0, paired=False), 0.1, 0.01, 0.05) is None
    assert "disagreement" not in [finding.name for finding in judge(evidence(0, 0), Guards())]


def test_a_rollout_reads_it_among_its_findings() -> None:
    told = {f.name: f for f in judge(evidence(1000, 300), Guards())}["disagreement"]
    assert told.reason.startswith("30.0% of 1000 shadow answers differ")
    failed = {f.name: f for f in judge(evidence(1000, 300), Guards(disagreement_fail=0.1))}
    assert failed["disagreement"].verdict is Verdict.FAIL


@pytest.mark.parametrize("limit", [0.0, 1.1])
def test_a_limit_is_a_share(limit: float) -> None:
    with pytest.raises(ValueError, match="disagreement_fail"):
        Guards(disagreement_fail=limit)
