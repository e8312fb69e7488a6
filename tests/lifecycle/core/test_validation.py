from dataclasses import replace

import numpy as np
import pytest

from gateway.core.signature import Signature, TensorSpec
from lifecycle.core.validation import GATES, Inspection, Limits, compatible, judge, stopped
from lifecycle.core.verdict import Finding, Verdict

X = TensorSpec("x", "FP32", (-1, 3))
Y = TensorSpec("y", "FP32", (-1,))
SIGNATURE = Signature((X,), (Y,))
INSIDE = tuple(Finding(name, Verdict.PASS, "fine") for name in GATES[:3])
LIMITS = Limits()


def inspected(answers: list[float], labels: list[int] | None = None) -> Inspection:
    return Inspection(
        SIGNATURE,
        INSIDE,
        latency_ms=1.5,
        inputs={"x": np.zeros((len(answers), 3), np.float32)},
        outputs={"y": np.array(answers, np.float32)},
        labels=np.array(labels) if labels is not None else None,
    )


def verdicts(findings: tuple[Finding, ...]) -> dict[str, str]:
    return {finding.name: str(finding.verdict) for finding in findings}


def test_gates_are_judged_in_their_order() -> None:
    findings = judge(inspected([0.1, 0.9], [0, 1]), None, LIMITS)
    assert tuple(finding.name for finding in findings) == GATES
    assert stopped(findings) is None


def test_without_reference_rows_nothing_is_claimed_and_nothing_stopped() -> None:
    findings = judge(Inspection(SIGNATURE, INSIDE), None, LIMITS)
    assert verdicts(findings)["finite_outputs"] == "INCONCLUSIVE"
    assert verdicts(findings)["accuracy"] == "INCONCLUSIVE"
    assert stopped(findings) is None


def test_a_failure_inside_the_sandbox_ends_the_judgement() -> None:
    inside = (*INSIDE[:1], Finding("load", Verdict.FAIL, "broken"))
    assert judge(Inspection(None, inside), SIGNATURE, LIMITS) == inside


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_one_row_that_is_not_finite_fails(bad: float) -> None:
    found = stopped(judge(inspected([0.5, bad, 0.5]), None, LIMITS))
    assert found is not None
    assert found.name == "finite_outputs"
    assert found.numbers["bad_rows"] == 1


def test_a_budget_bounds_the_latency() -> None:
    assert stopped(judge(inspected([0.5]), None, replace(LIMITS, latency_budget_ms=2.0))) is None
    found = stopped(judge(inspected([0.5]), None, replace(LIMITS, latency_budget_ms=1.0)))
    assert found is not None
    assert found.reason == "one row takes 1.5 ms; the budget is 1 ms"


@pytest.mark.parametrize(
    ("candidate", "says"),
    [
        (Signature((TensorSpec("z", "FP32", (-1, 3)),), (Y,)), "input 'x' of the champion is missing"),
        (Signature((X, TensorSpec("z", "FP32", (-1,))), (Y,)), "input 'z' is not one of the champion's"),
        (Signature((TensorSpec("x", "FP64", (-1, 3)),), (Y,)), "input 'x' is FP64, the champion's is FP32"),
        (Signature((TensorSpec("x", "FP32", (-1, 4)),), (Y,)), "input 'x' has shape [-1, 4]"),
        (Signature((TensorSpec("x", "FP32", (1, 3)),), (Y,)), "input 'x' has shape [1, 3]"),
        (Signature((X,), (TensorSpec("y", "FP32", (-1, 1)),)), "output 'y' has shape [-1, 1]"),
    ],
)
def test_a_version_that_would_break_callers_fails(candidate: Signature, says: str) -> None:
    found = compatible(candidate, SIGNATURE)
    assert found.verdict is Verdict.FAIL
    assert found.reason.startswith(says)


def test_inputs_may_widen_and_outputs_may_narrow() -> None:
    wider = Signature((TensorSpec("x", "FP32", (-1, -1)),), (TensorSpec("y", "FP32", (1,)),))
    assert compatible(wider, SIGNATURE).verdict is Verdict.PASS
    assert compatible(SIGNATURE, wider).verdict is Verdict.FAIL


def test_accuracy_may_lack_the_margin_and_no_more() -> None:
    labels = [1] * 100
    champion = inspected([0.9] * 100, labels)
    close = inspected([0.9] * 98 + [0.1] * 2, labels)
    worse = inspected([0.9] * 97 + [0.1] * 3, labels)
    assert stopped(judge(close, SIGNATURE, LIMITS, champion)) is None
    found = stopped(judge(worse, SIGNATURE, LIMITS, champion))
    assert found is not None
    assert found.name == "accuracy"
    assert found.numbers == {"rows": 100, "candidate": 0.97, "champion": 1.0, "margin": 0.02}


def test_a_first_version_is_not_compared() -> None:
    assert verdicts(judge(inspected([0.1], [1]), None, LIMITS))["accuracy"] == "PASS"
