"""What a version's evidence says of how good it was."""

import numpy as np
import pytest

from gateway.core.signature import Signature, TensorSpec
from lifecycle.core.gates.accuracy import accuracy
from lifecycle.core.inspection import Answers
from lifecycle.core.performance.answers import Measure
from lifecycle.core.performance.reference import Reference, reference_of
from lifecycle.core.stages import Stage
from lifecycle.core.version import Version

SIGNATURE = Signature((TensorSpec("x", "FP32", (-1, 1)),), (TensorSpec("y", "FP32", (-1, 1)),))


def referred(answers: Answers) -> Reference | None:
    evidence = (accuracy("accuracy", answers),)
    return reference_of(Version("m", 1, Stage.SERVING, "a", "d", SIGNATURE, "ann", 1.0, evidence=evidence))


def test_classes_count_as_right_or_wrong() -> None:
    found = referred(Answers(outputs={"y": np.array([1, 0, 1, 1])}, labels=np.ones(4, np.int64)))
    assert found == Reference.of_classes(4, 1)


def test_numbers_count_by_four_times_their_mean_error() -> None:
    truth = np.linspace(0.5, 99.5, 200)
    found = referred(Answers(outputs={"y": truth[:, None] + 3.0}, labels=truth))
    assert found is not None
    assert (found.yardstick.measure, found.labelled.rows) == (Measure.MAE, 200)
    assert found.yardstick.scale == pytest.approx(12.0)
    assert found.value == pytest.approx(3.0)
    assert found.labelled.loss == pytest.approx(50.0)


def test_rows_without_labels_say_nothing() -> None:
    assert referred(Answers()) is None
    assert referred(Answers(outputs={"y": np.ones(4)})) is None
