import numpy as np

from lifecycle.core.gates.gain import gain
from lifecycle.core.inspection import Answers

LABELS = np.array([1, 0, 1])


def test_classes_are_right_or_wrong() -> None:
    found = gain(
        Answers(outputs={"y": np.array([1, 0, 0])}, beside={"y": np.array([0, 0, 1])}, labels=LABELS)
    )
    assert found is not None
    assert (found.measure, found.rows.tolist()) == ("accuracy", [1.0, 0.0, -1.0])


def test_numbers_are_as_close_as_their_error_in_standard_deviations() -> None:
    labels = np.array([0.0, 2.0])  # standard deviation 1
    own, champion = {"y": np.array([0.25, 2.0])}, {"y": np.array([5.0, np.nan])}
    found = gain(Answers(outputs=own, beside=champion, labels=labels))
    assert found is not None
    assert (found.measure, found.own.tolist(), found.champion.tolist()) == (
        "closeness",
        [0.75, 1.0],
        [0.0, 0.0],
    )


def test_what_cannot_be_compared_is_not() -> None:
    text = np.array([b"a", b"b", b"c"], np.object_)
    assert gain(Answers(outputs={"y": LABELS}, labels=LABELS)) is None
    assert gain(Answers(outputs={"y": LABELS}, beside={"y": LABELS})) is None
    assert gain(Answers(outputs={"y": np.zeros(3)}, beside={"y": np.zeros(3)}, labels=text)) is None
