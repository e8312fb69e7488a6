"""Does one arm do something bad more often than the other? The rate-ratio e-process on counts.

Learns only from bad events: two arms without any say nothing here (see `bound`).
"""

import math

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import logsumexp

FACTORS = (1.25, 1.5, 2.0, 3.0, 5.0, 10.0)
"""How many times the null's rate ratio the alternatives are."""


def log_e_worse(
    canary: ArrayLike, baseline: ArrayLike, share: ArrayLike, null: float = 1.0
) -> NDArray[np.float64]:
    """Log e-value against "the canary's rate is at most `null` times the baseline's".

    Among bad events the canary's share is p(d) = w d / (w d + 1 - w) for a rate ratio d, whatever the
    load does over time. The e-value is the likelihood ratio against `null`, averaged over alternatives.
    It holds at every look, for every ratio up to `null`, and through changes of the share.

    Args:
        canary: bad events of the canary, [..., segments]; each segment has its own share.
        baseline: bad events of the baseline, like `canary`.
        share: probability that a request went to the canary, in (0, 1), [segments].

    Returns:
        Log e-values, [...]. Reject when one reaches ln(1/alpha).
    """
    return _log_e(canary, baseline, share, null, [null * factor for factor in FACTORS])


def log_e_no_worse(
    canary: ArrayLike, baseline: ArrayLike, share: ArrayLike, null: float
) -> NDArray[np.float64]:
    """Log e-value against "the canary's rate is at least `null` times the baseline's"; see `log_e_worse`."""
    return _log_e(canary, baseline, share, null, [null / factor for factor in FACTORS])


def _log_e(
    canary: ArrayLike, baseline: ArrayLike, share: ArrayLike, null: float, others: list[float]
) -> NDArray[np.float64]:
    bad_canary, bad_baseline = np.asarray(canary, np.float64), np.asarray(baseline, np.float64)
    w = np.asarray(share, np.float64)
    under_null = w * null + 1 - w
    terms = []
    for ratio in others:
        # ln p(d)/p(d0) and ln (1-p(d))/(1-p(d0)); the share itself cancels out of both.
        scale = np.log(under_null / (w * ratio + 1 - w))
        terms.append(np.sum(bad_canary * (math.log(ratio / null) + scale) + bad_baseline * scale, axis=-1))
    return np.asarray(logsumexp(np.stack(terms), axis=0) - math.log(len(others)), np.float64)
