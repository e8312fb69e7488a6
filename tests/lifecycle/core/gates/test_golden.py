import numpy as np

from lifecycle.core.gates.golden import golden
from lifecycle.core.inspection import Answers
from lifecycle.core.verdict import Verdict

EXPECTED = {"y": np.array([0.25, 0.5], np.float32)}


def test_without_golden_rows_nothing_is_claimed() -> None:
    assert golden(Answers(outputs=EXPECTED), 1e-4).verdict is Verdict.INCONCLUSIVE


def test_golden_answers_are_met_up_to_the_tolerance() -> None:
    near = {"y": EXPECTED["y"] + np.float32(5e-5)}
    assert golden(Answers(outputs=near, expected=EXPECTED), 1e-4).verdict is Verdict.PASS
    found = golden(Answers(outputs=near, expected=EXPECTED), 1e-6)
    assert found.verdict is Verdict.FAIL
    assert found.reason == "output 'y' differs in 2 of 2 rows from the golden answers"


def test_nan_is_never_a_golden_answer_met() -> None:
    missing = {"y": np.array([np.nan, 0.5], np.float32)}
    assert golden(Answers(outputs=missing, expected=EXPECTED), 1e-4).verdict is Verdict.FAIL
