"""How well a classifier does on rows without labels, and whether that can be said at all. Read this first.

Scores are calibrated on reference rows with labels. Where new rows are unlike those, the reference rows that
are like them count more (PAPE: Białek et al. 2024, arXiv 2401.08348). Beyond that it abstains: no estimate is
better than one that rests on a few rows.
"""

from dataclasses import dataclass
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

from lifecycle.core.performance.calibrating import Calibration
from lifecycle.core.performance.shift import Shift, shift

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

UNLIKE = 0.6
"""New rows that are told from the reference better than this (AUC) are weighed."""
FEWEST_EFFECTIVE = 200
MOST_UNSEEN = 0.05
"""Share of the new rows that lie where the reference has none."""
CLEAR = 3.5
"""Standard errors from which the weighted reference contradicts the plain calibration. The weights are
estimates themselves, so it takes more than usual."""


class Method(StrEnum):
    CBPE = "cbpe"
    PAPE = "pape"
    NONE = "none"
    """Abstained: the new rows are too unlike the reference."""


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

    def __init__(self, features: Floats, scores: Floats, truth: Ints) -> None:
        self._features, self._scores, self._truth = features, scores, truth
        self._plain = tuple(
            Calibration.if_better(scores[:, each], _is(truth, each)) for each in range(scores.shape[1])
        )

    def estimate(self, features: Floats, scores: Floats) -> Estimated:
        """What new rows' probabilities are; features and scores as in the reference."""
        rows, new = _joined(self._features, self._scores), _joined(features, scores)
        # As many as there are new ones are enough to see whether there is anything to weigh.
        few = np.linspace(0, len(rows) - 1, min(len(rows), len(new))).astype(np.int64)
        plain = _calibrated(self._plain, scores)
        seen = shift(rows[few], new)
        if (unseen := _unseen(self._features, features)) > MOST_UNSEEN:
            reason = f"{unseen:.1%} of the rows lie where the reference has none"
            return Estimated(Method.NONE, reason, plain, seen.auc, seen.effective_rows)
        if seen.auc <= UNLIKE:
            return Estimated(
                Method.CBPE, "the rows are like the reference", plain, seen.auc, seen.effective_rows
            )
        whole = seen if len(few) == len(rows) else shift(rows, new)
        if whole.effective_rows < FEWEST_EFFECTIVE:
            reason = f"the reference has only about {whole.effective_rows:.0f} rows like them"
            return Estimated(Method.NONE, reason, plain, whole.auc, whole.effective_rows)
        if not self._contradicted(whole):
            reason = "the rows are unlike the reference, and their scores mean the same"
            return Estimated(Method.CBPE, reason, plain, whole.auc, whole.effective_rows)
        weighed = tuple(
            Calibration.isotonic(self._scores[:, each], _is(self._truth, each), whole.weights)
            for each in range(self._scores.shape[1])
        )
        reason = "the rows are unlike the reference, and calibrated on those like them"
        return Estimated(Method.PAPE, reason, _calibrated(weighed, scores), whole.auc, whole.effective_rows)

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


def _joined(features: Floats, scores: Floats) -> Floats:
    return np.concatenate([features, scores[:, 1:]], axis=1)


def _calibrated(maps: tuple[Calibration, ...], scores: Floats) -> Floats:
    each = np.stack([calibrate(scores[:, at]) for at, calibrate in enumerate(maps)], axis=1)
    if len(maps) == 2:
        each[:, 0] = 1 - each[:, 1]
    return np.asarray(each / np.maximum(each.sum(axis=1, keepdims=True), 1e-12), np.float64)


def _unseen(reference: Floats, new: Floats) -> float:
    """The largest share, over features, of new values beyond all reference values."""
    with np.errstate(invalid="ignore"):
        beyond = (new < np.nanmin(reference, axis=0)) | (new > np.nanmax(reference, axis=0))
    return float(beyond.mean(axis=0).max(initial=0.0))
