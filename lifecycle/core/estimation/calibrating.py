"""Scores as probabilities: what share of the reference rows with such a score belonged to the class."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from lifecycle.core.performance.calibration import Floats, calibration_error

FOLDS = 5


@dataclass(frozen=True, slots=True, eq=False)
class Calibration:
    """A map that never falls, linear between its knots.

    Args:
        scores: ascending, float64 [knots]; without any, scores stay as they are.
        rates: the probability at each.
    """

    scores: Floats
    rates: Floats

    NONE: ClassVar["Calibration"]

    @classmethod
    def isotonic(cls, scores: Floats, truth: Floats, weights: Floats | None = None) -> "Calibration":
        """The non-decreasing map of least squared error (pool adjacent violators).

        Args:
            scores: in [0, 1], [rows].
            truth: whether the row is of the class, 0 or 1, [rows].
            weights: of the rows, all alike by default, [rows].
        """
        from scipy.optimize import isotonic_regression  # as in `shift`: only when something is estimated

        knots, place = np.unique(scores, return_inverse=True)
        weight = np.bincount(place, weights)
        weighted = truth if weights is None else truth * weights
        some = weight > 0
        mean = np.bincount(place, weighted)[some] / weight[some]
        fitted = isotonic_regression(mean, weights=weight[some])
        ends = np.unique(np.concatenate([fitted.blocks[:-1], fitted.blocks[1:] - 1]))
        return cls(knots[some][ends], np.asarray(fitted.x[ends], np.float64))

    @classmethod
    def if_better(cls, scores: Floats, truth: Floats) -> "Calibration":
        """The isotonic map if it lowers the cross-validated calibration error, else none.

        Scores that mean what they say are best left alone: any map only adds the noise of its rows.
        """
        fold = np.arange(len(scores)) % FOLDS
        mapped = np.empty(len(scores))
        for out in range(FOLDS):
            rest = fold != out
            mapped[~rest] = cls.isotonic(scores[rest], truth[rest])(scores[~rest])
        better = calibration_error(mapped, truth) < calibration_error(scores, truth)
        return cls.isotonic(scores, truth) if better else cls.NONE

    def __call__(self, scores: Floats) -> Floats:
        """Probabilities for scores of any shape."""
        if not len(self.scores):
            return scores
        return np.asarray(np.interp(scores, self.scores, self.rates), np.float64)


Calibration.NONE = Calibration(np.zeros(0), np.zeros(0))
