"""Do a version's probabilities mean what they say, as well as the champion's do?"""

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from gateway.core.types import FLOAT_KINDS, Array
from lifecycle.core.inspection import Answers
from lifecycle.core.performance.calibration import Floats, calibration_error
from lifecycle.core.verdict import Finding, Verdict

MARGIN = 0.01
"""How much larger the expected calibration error may be."""
FEWEST_LABELS = 500
BLOCKS = 20
"""Rows are left out in so many turns to see how much the error owes to chance."""
ERRORS = 2.0
"""Standard errors by which a difference must clear the margin."""


def calibration(compared: Sequence[Answers]) -> Finding:
    """Compares expected calibration errors (ECE) on the first row set that has enough labels."""
    for answers in compared:
        labels = answers.labels
        if labels is None or len(labels) < FEWEST_LABELS:
            continue
        own, champion = _confidence(answers.outputs, labels), _confidence(answers.beside, labels)
        if own is not None and champion is not None:
            return _judged(own, champion)
    reason = f"there are not {FEWEST_LABELS} labelled rows that both versions answered with probabilities"
    return Finding("calibration", Verdict.INCONCLUSIVE, reason)


def _judged(own: tuple[Floats, Floats], champion: tuple[Floats, Floats]) -> Finding:
    mine, theirs = calibration_error(*own), calibration_error(*champion)
    excess, error = mine - theirs, _error(own, champion)
    numbers = {
        "rows": float(len(own[0])),
        "candidate": mine,
        "champion": theirs,
        "standard_error": error,
        "margin": MARGIN,
    }
    words = f"the calibration error is {mine:.4f}, the champion's {theirs:.4f}, give or take {error:.4f}"
    if excess - ERRORS * error > MARGIN:
        return Finding("calibration", Verdict.FAIL, f"{words}; it may be {MARGIN:g} larger", numbers)
    if excess + ERRORS * error <= MARGIN:
        return Finding("calibration", Verdict.PASS, words, numbers)
    return Finding("calibration", Verdict.INCONCLUSIVE, f"{words}; more labels are needed to tell", numbers)


def _error(own: tuple[Floats, Floats], champion: tuple[Floats, Floats]) -> float:
    """Standard error of the difference of both errors, by a jackknife over blocks of the same rows."""
    block = np.arange(len(own[0])) % BLOCKS

    def excess(kept: NDArray[np.bool_]) -> float:
        mine, theirs = ((sure[kept], right[kept]) for sure, right in (own, champion))
        return calibration_error(*mine) - calibration_error(*theirs)

    left = np.array([excess(block != out) for out in range(BLOCKS)])
    return float(np.sqrt((BLOCKS - 1) * left.var()))


def _confidence(outputs: Mapping[str, Array], labels: Array) -> tuple[Floats, Floats] | None:
    """Confidence and rightness by row; None if no output holds probabilities of the labels' classes."""
    if labels.dtype.kind not in "biu" or labels.min(initial=0) < 0:
        return None
    truth = labels.astype(np.int64)
    for array in outputs.values():
        if array.dtype.kind not in FLOAT_KINDS or array.shape[:1] != labels.shape:
            continue
        scores = array.astype(np.float64)
        if not (np.isfinite(scores).all() and scores.min() >= 0 and scores.max() <= 1 + 1e-6):
            continue
        if scores.ndim == 2 and scores.shape[1] > max(1, int(truth.max())):
            if np.abs(scores.sum(axis=1) - 1).max() < 1e-3:
                return scores.max(axis=1), (scores.argmax(axis=1) == truth).astype(np.float64)
        elif scores.size == len(truth) and truth.max() <= 1:
            return scores.ravel(), truth.astype(np.float64)
    return None
