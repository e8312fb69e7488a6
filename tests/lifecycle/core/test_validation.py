import numpy as np

from gateway.core.signature import Signature, TensorSpec
from lifecycle.core.gates.cost import Budget
from lifecycle.core.inspection import HOLDOUT, NEWEST, REFERENCE, Answers, Cost, Inspection
from lifecycle.core.validation import GATES, Standards, judge, stopped
from lifecycle.core.verdict import Finding, Verdict

SIGNATURE = Signature((TensorSpec("x", "FP32", (-1, 3)),), (TensorSpec("y", "FP32", (-1,)),))
INSIDE = tuple(Finding(name, Verdict.PASS, "fine") for name in GATES[:3])
ALONE = Inspection(SIGNATURE, INSIDE, Cost(1.5, 10.0))


def verdicts(findings: tuple[Finding, ...]) -> dict[str, str]:
    return {finding.name: str(finding.verdict) for finding in findings}


def answers(wrong: int, rows: int = 2_000) -> Answers:
    truth = np.ones(rows, np.int64)
    own = truth.copy()
    own[:wrong] = 0
    return Answers(outputs={"y": own}, beside={"y": truth}, labels=truth)


def test_gates_are_judged_in_their_order() -> None:
    findings = judge(ALONE, None, Standards())
    assert tuple(finding.name for finding in findings) == GATES
    assert stopped(findings) is None


def test_without_rows_nothing_is_claimed_and_nothing_stopped() -> None:
    findings = judge(ALONE, SIGNATURE, Standards())
    told = verdicts(findings)
    unsaid = ("golden", "finite_outputs", "accuracy", "newest", "holdout", "slices", "calibration")
    assert {told[name] for name in unsaid} == {"INCONCLUSIVE"}
    assert stopped(findings) is None


def test_a_failure_inside_the_sandbox_ends_the_judgement() -> None:
    inside = (*INSIDE[:1], Finding("load", Verdict.FAIL, "broken"))
    assert judge(Inspection(None, inside), SIGNATURE, Standards()) == inside


def test_each_set_of_rows_is_judged_by_its_own_gate() -> None:
    sets = {REFERENCE: answers(0), NEWEST: answers(0), HOLDOUT: answers(100)}
    findings = judge(Inspection(SIGNATURE, INSIDE, sets=sets), SIGNATURE, Standards())
    told = verdicts(findings)
    assert (told["accuracy"], told["newest"], told["holdout"]) == ("PASS", "PASS", "FAIL")
    assert told["slices"] == "PASS"  # of the newest rows


def test_the_budget_is_the_policys() -> None:
    found = stopped(judge(ALONE, None, Standards(Budget(latency_ms=1.0))))
    assert found is not None
    assert found.name == "cost"


def test_a_declared_change_of_the_signature_stops_nothing() -> None:
    other = Signature(SIGNATURE.inputs, (TensorSpec("z", "FP32", (-1,)),))
    assert stopped(judge(ALONE, other, Standards())) is not None
    assert stopped(judge(ALONE, other, Standards(), change_allowed=True)) is None
