import numpy as np

from lifecycle.core.gates.batching import batching
from lifecycle.core.inspection import JoinedRows
from lifecycle.core.verdict import Verdict

SINGLE = {"y": np.array([1.0, 2.0], np.float32)}


def test_equal_answers_pass_and_others_fail() -> None:
    assert batching(JoinedRows(SINGLE, SINGLE), 1e-4).verdict is Verdict.PASS
    found = batching(JoinedRows(SINGLE, {"y": np.array([1.0, 2.1], np.float32)}), 1e-4)
    assert found.verdict is Verdict.FAIL
    assert found.reason == "output 'y' differs in 1 of 2 rows when 2 rows run together"


def test_a_version_whose_rows_are_never_joined_passes() -> None:
    assert batching(JoinedRows(), 1e-4).verdict is Verdict.PASS
