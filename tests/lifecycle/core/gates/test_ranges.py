import numpy as np

from gateway.core.ranges import OutputRange
from lifecycle.core.gates.ranges import output_ranges
from lifecycle.core.inspection import Answers
from lifecycle.core.verdict import Verdict

LABEL = OutputRange("label", 0.0, 9.0)


def test_one_row_outside_fails_and_is_counted() -> None:
    found = output_ranges(Answers(outputs={"label": np.array([1, 10, 9])}), [LABEL])
    assert (found.verdict, found.numbers) == (Verdict.FAIL, {"rows": 3, "bad_rows": 1})
    assert "label=0..9" in found.reason


def test_inside_passes_and_without_rows_nothing_is_claimed() -> None:
    assert output_ranges(Answers(outputs={"label": np.array([0, 9])}), [LABEL]).verdict is Verdict.PASS
    assert output_ranges(Answers(), [LABEL]).verdict is Verdict.INCONCLUSIVE
    assert output_ranges(Answers(), []).verdict is Verdict.PASS
