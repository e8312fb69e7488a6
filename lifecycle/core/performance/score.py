"""How well answers match labels, as one number where higher is better and 1 is perfect."""

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from gateway.core.types import Array
from lifecycle.core.performance.answers import correct, values


class Score(NamedTuple):
    """`measure` is `accuracy`, or `R²` (the share of variance explained; may be below 0)."""

    measure: str
    value: float


def score(outputs: Mapping[str, Array], labels: Array) -> Score | None:
    """Judge the output that can be compared with the labels; None if there is none.

    Args:
        outputs: the version's answers, [N] or [N, K].
        labels: [N] classes (integer, boolean, text) or values (float).

    Accuracy where an output names classes, as `answers.correct` finds them; else the first single numbers
    are predicted values.
    """
    if not len(labels):
        return None
    right = correct(outputs, labels)
    if right is not None:
        return Score("accuracy", float(right.mean()))
    predicted = values(outputs, labels)
    return None if predicted is None else Score("R²", _explained(predicted, labels.astype(np.float64)))


def _explained(answers: NDArray[np.float64], truth: NDArray[np.float64]) -> float:
    errors = float(np.sum((answers - truth) ** 2))
    spread = float(np.sum((truth - np.mean(truth)) ** 2))
    if spread == 0:
        return 1.0 if errors == 0 else 0.0
    return 1 - errors / spread
