import numpy as np
import pytest

from lifecycle.core.gates.finite import finite_outputs
from lifecycle.core.inspection import Answers
from lifecycle.core.verdict import Verdict


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_one_row_that_is_not_finite_fails(bad: float) -> None:
    found = finite_outputs(Answers(outputs={"y": np.array([0.5, bad, 0.5], np.float32)}))
    assert found.verdict is Verdict.FAIL
    assert found.numbers == {"rows": 3, "bad_rows": 1}


def test_numbers_pass_and_no_rows_say_nothing() -> None:
    outputs = {"y": np.array([0.5], np.float32), "label": np.array([1])}
    assert finite_outputs(Answers(outputs=outputs)).verdict is Verdict.PASS
    assert finite_outputs(Answers()).verdict is Verdict.INCONCLUSIVE
