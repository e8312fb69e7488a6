import numpy as np

from lifecycle.core.gates.gain import gain
from lifecycle.core.inspection import Answers
from lifecycle.core.performance.answers import Measure
from lifecycle.core.performance.yardstick import Yardstick

LABELS = np.array([1, 0, 1])


def test_classes_are_right_or_wrong() -> None:
    found = gain(
        Answers(outputs={"y": np.array([1, 0, 0])}, beside={"y": np.array([0, 0, 1])}, labels=LABELS)
    )
    assert found is not None
    assert (found.yardstick, found.rows.tolist()) == (Yardstick.CLASSES, [1.0, 0.0, -1.0])


def test_numbers_lose_parts_of_the_champions_usual_error() -> None:
    labels = np.zeros(4)
    own, champion = np.array([1.0, 4.0, 0.0, np.nan]), np.array([2.0, 0.0, 40.0, 0.0])
    usual = Yardstick.of(Measure.MAE, 1.0)
    found = gain(Answers(outputs={"y": own}, beside={"y": champion}, labels=labels), usual)
    assert found is not None
    assert (found.yardstick, found.rows.tolist()) == (usual, [0.25, -1.0, 1.0, -1.0])


def test_without_a_reference_the_champions_first_errors_set_the_scale_and_do_not_count() -> None:
    def compared(rows: int) -> Answers:
        labels = np.full(rows, 0.5)
        return Answers(outputs={"y": labels + 2.0}, beside={"y": labels + 1.0}, labels=labels)

    found, few = gain(compared(150)), gain(compared(99))
    assert found is not None
    assert (found.yardstick.scale, found.first, found.rows.tolist()) == (4.0, 100, [-0.25] * 50)
    assert few is not None
    assert (few.first, len(few.rows)) == (100, 0)


def test_what_cannot_be_compared_is_not() -> None:
    text = np.array([b"a", b"b", b"c"], np.object_)
    assert gain(Answers(outputs={"y": LABELS}, labels=LABELS)) is None
    assert gain(Answers(outputs={"y": LABELS}, beside={"y": LABELS})) is None
    assert gain(Answers(outputs={"y": np.zeros(3)}, beside={"y": np.zeros(3)}, labels=text)) is None
