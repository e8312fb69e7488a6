"""Right and wrong, however classes are spelled."""

import numpy as np
import pytest

from gateway.core.signature import TensorSpec
from gateway.core.types import Array
from lifecycle.core.performance.answers import Measure, class_output, correct, errors

SCORES = np.array([[0.9, 0.1], [0.2, 0.8], [0.6, 0.4]], np.float32)


@pytest.mark.parametrize(
    ("outputs", "labels"),
    [
        ({"scores": SCORES, "label": np.array([0, 1, 1])}, np.array([0, 1, 0])),
        ({"label": np.array([[0], [1], [1]])}, np.array([0.0, 1.0, 0.0])),
        ({"label": np.array([False, True, True])}, np.array([0, 1, 0])),
        ({"label": np.array([b"a", b"b", b"b"], np.object_)}, np.array(["a", "b", "a"], np.object_)),
        ({"scores": SCORES}, np.array([0, 1, 1])),
        ({"score": np.array([0.1, 0.9, 0.9])}, np.array([0, 1, 0])),
        ({"score": np.array([0.9, 0.8, 0.6]), "scores": SCORES}, np.array([0, 1, 1])),
        ({"shorter": np.array([0, 1]), "label": np.array([0, 1, 1])}, np.array([0, 1, 0])),
    ],
)
def test_rows_are_judged_one_by_one(outputs: dict[str, Array], labels: Array) -> None:
    right = correct(outputs, labels)
    assert right is not None
    assert right.tolist() == [True, True, False]


def test_numbers_are_neither_right_nor_wrong() -> None:
    assert correct({"value": np.array([1.5, 2.5])}, np.array([1.5, 2.0])) is None
    assert correct({"scores": SCORES}, np.array(["a", "b", "c"])) is None
    assert correct({"value": np.zeros(2), "embedding": np.eye(2)}, np.array([1.5, 0.0])) is None


def test_the_class_is_the_first_output_of_whole_numbers_or_text() -> None:
    scores, cut = TensorSpec("scores", "FP32", (-1, 2)), TensorSpec("score", "FP32", (-1,))
    label, wide = TensorSpec("label", "INT64", (-1, 1)), TensorSpec("mask", "BOOL", (-1, 3))
    assert class_output([scores, wide, label]) == label
    assert class_output([scores, cut, wide]) is None


def test_a_number_is_off_by_so_much() -> None:
    found = errors({"value": np.array([[1.5], [np.nan], [4.0]], np.float32)}, np.array([1.0, 2.0, 6.0]))
    assert found is not None
    assert (found.measure, found.rows.tolist()) == (Measure.MAE, [0.5, np.inf, 2.0])


def test_a_wrong_class_is_an_error_of_one() -> None:
    found = errors({"label": np.array([0, 1, 1])}, np.array([0, 0, 1]))
    assert found is not None
    assert (found.measure, found.rows.tolist()) == (Measure.ACCURACY, [0.0, 1.0, 0.0])


def test_labels_of_0_and_1_alone_do_not_make_numbers_classes_once_it_is_known() -> None:
    outputs, labels = {"value": np.array([0.2, 1.7])}, np.array([0.0, 1.0])
    guessed, known = errors(outputs, labels), errors(outputs, labels, Measure.MAE)
    assert guessed is not None
    assert known is not None
    assert (guessed.measure, known.measure) == (Measure.ACCURACY, Measure.MAE)
    assert errors(outputs, np.array([0.5, 2.5]), Measure.ACCURACY) is None
    assert errors(outputs, np.array(["a", "b"])) is None
