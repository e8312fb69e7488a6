"""Does a version answer the golden rows as it must? They are few, chosen by people, and never sampled."""

from lifecycle.core.gates.closeness import difference
from lifecycle.core.inspection import Answers
from lifecycle.core.verdict import Finding, Verdict


def golden(answers: Answers, tolerance: float) -> Finding:
    """Every expected output is met up to `tolerance`."""
    if not answers.expected:
        return Finding("golden", Verdict.INCONCLUSIVE, "there are no golden rows")
    rows = len(next(iter(answers.expected.values())))
    fault, largest = difference(answers.outputs, answers.expected, tolerance)
    numbers = {"rows": float(rows), "largest_difference": largest, "tolerance": tolerance}
    if fault:
        return Finding("golden", Verdict.FAIL, f"{fault} from the golden answers", numbers)
    return Finding("golden", Verdict.PASS, f"{rows} golden rows are answered as they must be", numbers)
