import numpy as np
import pytest

from gateway.core.types import Array
from lifecycle.core.performance.answers import correct
from lifecycle.core.performance.score import score

PROBABILITIES = np.array([[0.9, 0.1], [0.2, 0.8], [0.4, 0.6]], np.float32)


@pytest.mark.parametrize(
    ("outputs", "labels", "expected"),
    [
        ({"label": np.array([0, 1, 1])}, np.array([0, 1, 0]), 2 / 3),
        ({"p": PROBABILITIES, "label": np.array([[0], [1], [0]])}, np.array([0, 1, 0]), 1.0),
        ({"p": PROBABILITIES}, np.array([0, 1, 0]), 2 / 3),
        ({"p": PROBABILITIES[:, 1]}, np.array([False, True, True]), 1.0),
        ({"label": np.array([b"no", b"yes", b"no"], object)}, np.array(["no", "yes", "no"], object), 1.0),
        ({"label": np.array([0, 1, 1])}, np.array([0.0, 1.0, 1.0]), 1.0),
    ],
)
def test_classes_are_scored_by_accuracy(outputs: dict[str, Array], labels: Array, expected: float) -> None:
    found = score(outputs, labels)
    assert found is not None
    assert found.measure == "accuracy"
    assert found.value == pytest.approx(expected)


@pytest.mark.parametrize(
    ("outputs", "labels"),
    [
        ({"p": np.array([0.2, 0.7, 0.9])}, np.array([0.0, 1.0, 0.0])),
        ({"confidence": np.array([0.9, 0.8, 0.6]), "p": PROBABILITIES}, np.array([0, 1, 2])),
        ({"p": PROBABILITIES, "label": np.array([0, 1, 1])}, np.array([False, True, False])),
    ],
)
def test_the_gate_and_the_monitor_count_the_same_answers_as_right(
    outputs: dict[str, Array], labels: Array
) -> None:
    right, found = correct(outputs, labels), score(outputs, labels)
    assert right is not None
    assert found is not None
    assert found == ("accuracy", right.mean())


def test_values_are_scored_by_the_variance_they_explain() -> None:
    truth = np.array([1.0, 2.0, 3.0, 4.0])
    perfect, mean = score({"y": truth.reshape(-1, 1)}, truth), score({"y": np.full(4, 2.5)}, truth)
    assert perfect == ("R²", 1.0)
    assert mean == ("R²", 0.0)
    assert score({"y": np.array([1.0, 2, 3, 5])}, np.array([1, 2, 3, 5])) == ("R²", 1.0)
    values = {"y": np.array([0.5, 1.5]), "embedding": np.eye(2)}
    assert score(values, np.array([0.5, 1.5])) == ("R²", 1.0)


def test_what_cannot_be_compared_has_no_score() -> None:
    assert score({"y": np.zeros((2, 3, 3))}, np.array([0, 1])) is None
    assert score({"y": np.zeros(2)}, np.array(["a", "b"], object)) is None
    assert score({"y": np.zeros(5)}, np.array([0, 1])) is None
    assert score({}, np.array([], np.int64)) is None
