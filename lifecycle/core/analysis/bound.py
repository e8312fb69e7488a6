"""Is a rate above or below an absolute bound? E-processes that also learn from events that are fine.

This is what clears a guard whose bad events are rare or absent.
"""

import math

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import betaln, logsumexp, xlog1py, xlogy

BELOW = (0.0, 0.25, 0.5, 0.8)
"""Alternatives below the bound, as parts of it."""
ABOVE = (1.25, 1.5, 2.0, 3.0, 5.0, 10.0)
"""Alternatives above the bound, as multiples of its odds, so that each stays under 1."""
CERTAIN = 1e-6
"""The tests have nothing to say of a bound nearer to 0 or 1."""


def log_e_below(bad: ArrayLike, total: ArrayLike, bound: float) -> NDArray[np.float64]:
    """Log e-value against "the rate is at least `bound`"; valid at every look, for every such rate.

    Args:
        bad: bad events, any shape.
        total: events, like `bad`.
        bound: a rate in (0, 1).
    """
    return _log_e(bad, total, bound, [bound * part for part in BELOW])


def log_e_above(bad: ArrayLike, total: ArrayLike, bound: float) -> NDArray[np.float64]:
    """Log e-value against "the rate is at most `bound`"; see `log_e_below`."""
    return _log_e(bad, total, bound, [odds * bound / (1 - bound + odds * bound) for odds in ABOVE])


def _log_e(bad: ArrayLike, total: ArrayLike, bound: float, others: list[float]) -> NDArray[np.float64]:
    x = np.asarray(bad, np.float64)
    fine = np.asarray(total, np.float64) - x
    base = x * math.log(bound) + fine * math.log1p(-bound)
    terms = [xlogy(x, rate) + xlog1py(fine, -rate) - base for rate in others]
    return np.asarray(logsumexp(np.stack(terms), axis=0) - math.log(len(others)), np.float64)


def upper_bound(bad: float, total: float, alpha: float, prior: tuple[float, float] = (0.5, 0.5)) -> float:
    """The highest rate that the counts do not contradict, whenever one looks; 1.0 without counts.

    Inverts a Beta mixture likelihood ratio (Robbins 1970): with probability 1 - alpha the true rate is under
    the bound at every look.

    Args:
        prior: of the mixture. One that fits makes the bound narrow sooner; it holds with any.
    """
    if total <= 0:
        return 1.0
    mixture = float(betaln(bad + prior[0], total - bad + prior[1]) - betaln(*prior))
    limit = math.log(1 / alpha)

    def against(rate: float) -> float:
        return mixture - bad * math.log(rate) - (total - bad) * math.log1p(-rate)

    low, high = bad / total, 1.0
    if low >= 1.0:
        return 1.0
    for _ in range(40):
        middle = (low + high) / 2
        low, high = (middle, high) if against(middle) < limit else (low, middle)
    return high
