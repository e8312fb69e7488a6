"""Which of two versions is better on the same rows? The sequential McNemar test, and one with a margin."""

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


BETS = (0.03, 0.1, 0.3, 0.95)
"""Parts of the most that may be staked on a row."""


def log_e_worse_than(gains: ArrayLike, margin: float) -> float:
    """Log e-value against "on average the challenger lacks at most `margin`"; valid at every look.

    Betting on the mean of bounded gains (Waudby-Smith and Ramdas 2024; Choe and Ramdas 2024): each row
    multiplies the stake by 1 - bet (gain + margin), whose mean is at most 1 under the null.

    Args:
        gains: by row, how much better the challenger did, in [-1, 1]; [rows], oldest first.
    """
    return _log_wealth(-(np.asarray(gains, np.float64) + margin), 1 + margin)


def log_e_no_worse_than(gains: ArrayLike, margin: float) -> float:
    """Log e-value against "on average the challenger lacks at least `margin`"; see `log_e_worse_than`."""
    return _log_wealth(np.asarray(gains, np.float64) + margin, 1 - margin)


def _log_wealth(returns: NDArray[np.float64], most_lost: float) -> float:
    values, counts = np.unique(returns, return_counts=True)  # gains of right and wrong are of three kinds
    bets = np.array(BETS)[:, None] / most_lost
    return float(logsumexp((counts * np.log1p(bets * values)).sum(axis=1)) - math.log(len(BETS)))
