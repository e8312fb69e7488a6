"""Which of two versions is right more often on the same rows? The sequential McNemar test."""

import math

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import logsumexp

CHANCES = (0.55, 0.6, 0.65, 0.7, 0.8, 0.9)
"""Alternatives: the probability that the challenger is the one that is right."""


def log_e_better(wins: ArrayLike, losses: ArrayLike) -> NDArray[np.float64]:
    """Log e-value against "where the two differ, the challenger is right at most half the time".

    Valid at every look. Swap the arguments to ask whether the challenger is worse.

    Args:
        wins: rows where only the challenger is right, any shape.
        losses: rows where only the champion is right, like `wins`.
    """
    won, lost = np.asarray(wins, np.float64), np.asarray(losses, np.float64)
    terms = [won * math.log(2 * chance) + lost * math.log(2 * (1 - chance)) for chance in CHANCES]
    return np.asarray(logsumexp(np.stack(terms), axis=0) - math.log(len(CHANCES)), np.float64)
