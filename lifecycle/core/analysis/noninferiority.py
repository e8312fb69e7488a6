"""Is a version shown to lose at most a margin more than the champion of the same time? Of labels and metrics.

A loss is in [0, 1]. A part counts as that much of an event: a^x <= 1 + x (a - 1) for x in [0, 1] (Hoeffding
1963), so what holds of events holds of it.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import logsumexp, xlog1py, xlogy

from lifecycle.core.analysis.bound import CERTAIN, upper_bound

UNDER = (0.0, 0.25, 0.5, 0.7, 0.8, 0.9, 0.95, 0.98)
"""Alternatives below the limits, as parts of their odds."""


class Shown(NamedTuple):
    """What is shown so far.

    Args:
        log_e: log e-value against "at every step it loses the champion's mean and the margin, or more".
        limit: the mean loss that it is to be under: of its steps, by its rows.
    """

    log_e: float
    limit: float


def within_margin(canary: ArrayLike, champion: ArrayLike, margin: float, alpha: float) -> Shown:
    """Compare step by step, however often one looks.

    What all rows lose together says nothing: more of the canary's than of the champion's are from later
    steps, and if those are easier for everybody, a version that lacks the margin would be cleared. The limit
    of a step is the champion's lower bound there and the margin, so that doubt about it clears nobody. The
    e-value mixes over how far below its limits the canary is, by the same part of the odds at all steps.

    Args:
        canary: rows and the sum of their losses, [steps, 2].
        champion: like `canary`, at the same steps. Those where one of both has no rows say nothing.
        alpha: part of the level that the champion's bounds may use up, all together.
    """
    ours, theirs = np.asarray(canary, np.float64), np.asarray(champion, np.float64)
    both = (ours[:, 0] > 0) & (theirs[:, 0] > 0)
    if not both.any():
        return Shown(0.0, margin)
    # The parts 1/2, 1/6, 1/12, ... of any number of steps add up to no more than 1.
    lows = [_lower(rows, loss, alpha / (at * (at + 1))) for at, (rows, loss) in enumerate(theirs, 1)]
    limits = np.clip(np.array(lows) + margin, CERTAIN, 1 - CERTAIN)
    (rows, loss), limits = ours[both].T, limits[both]
    return Shown(_log_e_under(loss, rows - loss, limits), float((limits * rows).sum() / rows.sum()))


def _lower(rows: float, loss: float, alpha: float) -> float:
    return 1 - upper_bound(rows - loss, rows, alpha)


def _log_e_under(loss: NDArray[np.float64], fine: NDArray[np.float64], limits: NDArray[np.float64]) -> float:
    odds = np.array(UNDER)[:, None]
    rates = odds * limits / (1 - limits + odds * limits)
    at_limit = xlogy(loss, limits) + xlog1py(fine, -limits)
    ratios = (xlogy(loss, rates) + xlog1py(fine, -rates) - at_limit).sum(axis=1)
    return float(logsumexp(ratios) - np.log(len(UNDER)))
