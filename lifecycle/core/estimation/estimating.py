"""How well a classifier does on rows without labels, and whether that can be said at all. Read this first.

Scores are calibrated on reference rows with labels. Where new rows are unlike those, the reference rows that
are like them count more (PAPE: Białek et al. 2024, arXiv 2401.08348). Beyond that it abstains: no estimate is
better than one that rests on a few rows.
"""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lifecycle.core.estimation.calibrating import Calibration
from lifecycle.core.estimation.confidence import expected_accuracy
from lifecycle.core.estimation.expectation import Expected, Method
from lifecycle.core.estimation.likeness import likeness
from lifecycle.core.estimation.shift import Shift
from lifecycle.core.performance.answers import Measure
from lifecycle.core.performance.rows import Rows

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

CLEAR = 3.5
"""Standard errors from which the weighted reference contradicts the plain calibration. The weights are
estimates themselves, so it takes more than usual."""


@dataclass(frozen=True, slots=True, eq=False)
class Estimated:
    """How new rows are judged.

    Args:
        probabilities: calibrated, [rows, classes]; with `NONE` they are not to be used.
        domain_auc: how well the new rows are told from the reference; 0.5 is not at all.
        effective_rows: of the reference, by its weights.
    """

    method: Method
    reason: str
    probabilities: Floats
    domain_auc: float
    effective_rows: float


class Estimator:
    """Knows the reference: rows that the model was not trained on, with their labels.

    Args:
        features: [rows, features]; NaN is missing, categories are codes from 0 on.
        scores: of each class, [rows, classes]; those of two classes add up to 1.
        truth: the class, [rows].
    """

    measure = Measure.ACCURACY

    def __init__(self, features: Floats, scores: Floats, truth: Ints) -> None:
        self._features, self._scores, self._truth = features, scores, truth
        self._plain = tuple(
            Calibration.if_better(scores[:, each], _is(truth, each)) for each in range(scores.shape[1])
        )

    def estimate(self, features: Floats, scores: Floats) -> Estimated:
        """What new rows' probabilities are; features and scores as in the reference."""
        seen = likeness(Rows(self._features, self._scores), Rows(features, scores))
        plain, told = _calibrated(self._plain, scores), (seen.shift.auc, seen.shift.effective_rows)
        if seen.unknown:
            return Estimated(Method.NONE, seen.unknown, plain, *told)
        if seen.like:
            return Estimated(Method.CBPE, "the rows are like the reference", plain, *told)
        if not self._contradicted(seen.shift):
            reason = "the rows are unlike the reference, and their scores mean the same"
            return Estimated(Method.CBPE, reason, plain, *told)
        weighed = tuple(
            Calibration.isotonic(self._scores[:, each], _is(self._truth, each), seen.shift.weights)
            for each in range(self._scores.shape[1])
        )
        reason = "the rows are unlike the reference, and calibrated on those like them"
        return Estimated(Method.PAPE, reason, _calibrated(weighed, scores), *told)

    def expect(self, rows: Rows) -> Expected:
        """The accuracy of new rows, each of which is answered by its likeliest class."""
        found = self.estimate(*rows)
        accuracy = error = math.nan
        if found.method is not Method.NONE:
            accuracy, error = expected_accuracy(found.probabilities, np.argmax(rows.scores, axis=1))
        return Expected(found.method, found.reason, accuracy, error, found.domain_auc, found.effective_rows)

    def _contradicted(self, seen: Shift) -> bool:
        """Whether reference rows like the new ones were right more or less often than plainly expected.

        Weights add noise, so they are used where they say something.
        """
        answered = self._scores.argmax(axis=1)
        expected = _calibrated(self._plain, self._scores)[np.arange(len(answered)), answered]
        gaps = seen.weights * ((answered == self._truth) - expected)
        return bool(abs(gaps.sum()) > CLEAR * np.sqrt((gaps**2).sum()))


def _is(truth: Ints, each: int) -> Floats:
    return np.asarray(truth == each, np.float64)


def _calibrated(maps: tuple[Calibration, ...], scores: Floats) -> Floats:
    each = np.stack([calibrate(scores[:, at]) for at, calibrate in enumerate(maps)], axis=1)
    if len(maps) == 2:
        each[:, 0] = 1 - each[:, 1]
    return np.asarray(each / np.maximum(each.sum(axis=1, keepdims=True), 1e-12), np.float64)
