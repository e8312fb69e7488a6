"""Do two versions answer differently, and by how much?

A difference is not harm: a better version differs too.
"""

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import betaln, logsumexp

STRENGTHS = (20.0, 100.0, 500.0)
"""Of the Beta prior on the canary's share of a bin: low for big differences, high for small ones."""


def log_e_differ(canary: ArrayLike, baseline: ArrayLike, share: float) -> NDArray[np.float64]:
    """Log e-value against "both arms have the same output distribution"; valid at every look.

    Under equal distributions a request in any bin was the canary's with probability w. Each bin gives a
    Beta-binomial factor B(n_c + s w, n_b + s (1 - w)) / (B(s w, s (1 - w)) w^n_c (1 - w)^n_b). Half the
    bet is on all bins moving (product), half on one of them (mean).

    Args:
        canary: counts by bin, [..., bins]; fractions are allowed.
        baseline: like `canary`.
        share: probability that a request went to the canary, in (0, 1).
    """
    c, b = np.asarray(canary, np.float64), np.asarray(baseline, np.float64)
    null = c * math.log(share) + b * math.log1p(-share)
    factors = []
    for strength in STRENGTHS:
        prior = strength * share, strength * (1 - share)
        factors.append(betaln(c + prior[0], b + prior[1]) - betaln(*prior) - null)
    stacked = np.stack(factors)
    together = logsumexp(stacked.sum(axis=-1), axis=0) - math.log(len(STRENGTHS))
    alone = logsumexp(stacked, axis=(0, -1)) - math.log(len(STRENGTHS) * c.shape[-1])
    return np.asarray(np.logaddexp(together, alone) - math.log(2), np.float64)


class Effect(NamedTuple):
    """Total variation distance: the part of the answers that would have to change. Within 0 and 1."""

    distance: float
    low: float
    high: float


def effect(
    canary: NDArray[np.float64], baseline: NDArray[np.float64], weights: NDArray[np.float64], alpha: float
) -> Effect:
    """Distance between the arms' output distributions, with one-sided bounds at level alpha each.

    The observed distance never underestimates on average (Jensen), so the upper bound needs only its
    spread (McDiarmid 1989); the lower bound also takes off the most that chance adds on average.

    Args:
        canary: counts by segment and bin, [segments, bins]; every segment has counts in both arms.
        baseline: like `canary`.
        weights: independent observations per row counted, [segments], in (0, 1].
    """
    n_c, n_b = canary.sum(axis=1), baseline.sum(axis=1)
    p_c, p_b = canary / n_c[:, None], baseline / n_b[:, None]
    # Weighting segments by precision keeps a shift of all traffic between them out of the distance.
    precision = weights * n_c * n_b / (n_c + n_b)
    parts = precision / precision.sum()
    distance = float(np.abs(parts @ (p_c - p_b)).sum() / 2)
    variance = 1 / float(precision.sum())
    pooled = parts @ ((canary + baseline) / (n_c + n_b)[:, None])
    chance = float(np.sqrt(pooled * (1 - pooled) * variance).sum() / 2)
    spread = math.sqrt(math.log(1 / alpha) * variance / 2)
    return Effect(distance, max(distance - chance - spread, 0.0), min(distance + spread, 1.0))
