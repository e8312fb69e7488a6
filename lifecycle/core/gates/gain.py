"""How much better a version did than the champion, row by row, on labelled rows."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from gateway.core.types import Array
from lifecycle.core.inspection import Answers
from lifecycle.core.performance.answers import correct, values


@dataclass(frozen=True, slots=True)
class Gain:
    """Scores by row, [rows] in [0, 1], higher is better: right or wrong, or closeness to the truth.

    A number's score is 1 less its error in standard deviations of the labels, not below 0.
    """

    measure: str
    own: NDArray[np.float64]
    champion: NDArray[np.float64]

    @property
    def rows(self) -> NDArray[np.float64]:
        """In [-1, 1]; above 0 where the version did better."""
        return self.own - self.champion


def gain(answers: Answers) -> Gain | None:
    """None where no output of both can be compared with the labels."""
    if answers.labels is None or not answers.beside:
        return None
    own = _scores(answers.outputs, answers.labels)
    champion = _scores(answers.beside, answers.labels)
    if own is None or champion is None or own[0] != champion[0]:
        return None
    return Gain(own[0], own[1], champion[1])


def _scores(outputs: Mapping[str, Array], labels: Array) -> tuple[str, NDArray[np.float64]] | None:
    right = correct(outputs, labels)
    if right is not None:
        return "accuracy", right.astype(np.float64)
    predicted = values(outputs, labels)
    if predicted is None:
        return None
    truth = labels.astype(np.float64)
    error = np.abs(predicted - truth) / max(float(truth.std()), 1e-12)
    # An answer that is no number is as far off as can be.
    return "closeness", 1.0 - np.clip(np.nan_to_num(error, nan=1.0, posinf=1.0), 0.0, 1.0)
