import pytest

from gateway.core.signature import Signature, TensorSpec
from lifecycle.core.gates.compatible import compatible
from lifecycle.core.verdict import Verdict

X = TensorSpec("x", "FP32", (-1, 3))
Y = TensorSpec("y", "FP32", (-1,))
SIGNATURE = Signature((X,), (Y,))


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
def test_a_version_that_would_break_callers_fails_unless_they_know(candidate: Signature, says: str) -> None:
    found = compatible(candidate, SIGNATURE)
    assert found.verdict is Verdict.FAIL
    assert found.reason.startswith(says)
    declared = compatible(candidate, SIGNATURE, change_allowed=True)
    assert declared.verdict is Verdict.PASS
    assert declared.reason.startswith(says)


def test_inputs_may_widen_and_outputs_may_narrow() -> None:
    wider = Signature((TensorSpec("x", "FP32", (-1, -1)),), (TensorSpec("y", "FP32", (1,)),))
    assert compatible(wider, SIGNATURE).verdict is Verdict.PASS
    assert compatible(SIGNATURE, wider).verdict is Verdict.FAIL
