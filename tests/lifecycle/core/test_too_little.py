"""Too little data is INCONCLUSIVE wherever something is judged, says so, and passes or fails nothing."""

import numpy as np
import pytest

from gateway.core.binning import Bin
from lifecycle.core.analysis.evidence import Evidence
from lifecycle.core.analysis.guards import Guards
from lifecycle.core.analysis.guards import judge as judge_guards
from lifecycle.core.drift.report import MIN_ROWS
from lifecycle.core.drift.report import judge as judge_drift
from lifecycle.core.gates.accuracy import FEWEST_LABELS, accuracy
from lifecycle.core.gates.calibration import calibration
from lifecycle.core.gates.slices import slices
from lifecycle.core.inspection import Answers
from lifecycle.core.verdict import Finding, Verdict, combine


def few(rows: int, *, right: bool) -> Answers:
    """As clear as can be, one way or the other: one version always right, the other never."""
    truth = np.ones(rows, np.int64)
    own, champion = (truth, 1 - truth) if right else (1 - truth, truth)
    return Answers(outputs={"y": own}, beside={"y": champion}, labels=truth)


@pytest.mark.parametrize("right", [True, False])
@pytest.mark.parametrize("rows", [0, 1, FEWEST_LABELS - 1])
def test_gates(rows: int, right: bool) -> None:
    answers = few(rows, right=right)
    for found in (accuracy("newest", answers), slices([answers]), calibration([answers])):
        assert found.verdict is Verdict.INCONCLUSIVE, found
        assert found.reason


def test_guards() -> None:
    findings = judge_guards(Evidence(), Guards(disagreement_fail=0.1, label_margin=0.02))
    # Outputs without common bins are no question that data could answer, so that guard stands aside.
    findings = tuple(finding for finding in findings if finding.name != "outputs")
    assert len(findings) >= 7
    assert {finding.verdict for finding in findings} == {Verdict.INCONCLUSIVE}
    assert all(finding.reason for finding in findings)


@pytest.mark.parametrize("rows", [0, MIN_ROWS - 1])
def test_drift(rows: int) -> None:
    reference, live = np.zeros((2, Bin.FIRST + 4), np.int64), np.zeros((2, Bin.FIRST + 4), np.int64)
    reference[:, Bin.FIRST :] = 10_000
    live[:, Bin.FIRST] = rows  # all in one bin: as much drift as there can be
    report = judge_drift(reference, live, np.array([True, False]), ["a", "b"])
    assert report.verdict is Verdict.INCONCLUSIVE
    assert f"{MIN_ROWS - rows} more are needed" in report.reason


def test_nothing_judged_is_not_a_pass() -> None:
    assert combine([]) is Verdict.INCONCLUSIVE
    unsure = Finding("errors", Verdict.INCONCLUSIVE, "more requests are needed")
    assert combine([unsure, Finding("latency", Verdict.PASS, "fine")]) is Verdict.INCONCLUSIVE
