"""Does one arm do something bad more often than the other? The rate-ratio e-process on counts.

Learns only from bad events: two arms without any say nothing here (see `bound`). Where bad means above a
threshold, what is below tells as well.
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


def log_e_exceeds(
    canary: tuple[ArrayLike, ArrayLike],
    baseline: tuple[ArrayLike, ArrayLike],
    share: ArrayLike,
    rate: float,
) -> NDArray[np.float64]:
    """Log e-value against "the canary exceeds a threshold at most as often as the baseline".

    Every request tells, not only those above: where the canary exceeds it more often, its share of what is
    above is more than w, and that of what is below less. The e-value multiplies both likelihood ratios, each
    valid by itself, for odds raised by each of `FACTORS`. With half of the requests above the threshold
    that takes a third less of them than `log_e_worse` on those above alone.

    Args:
        canary: requests above and below, [..., segments] each.
        baseline: like `canary`.
        share: as for `log_e_worse`.
        rate: about how often the baseline exceeds the threshold, in (0, 1); the null holds whatever it is.
    """
    terms = []
    for factor in FACTORS:
        raised = factor * rate / (1 - rate + factor * rate)
        terms.append(
            _log_ratio(canary[0], baseline[0], share, raised / rate)
            + _log_ratio(canary[1], baseline[1], share, (1 - raised) / (1 - rate))
        )
    return np.asarray(logsumexp(np.stack(terms), axis=0) - math.log(len(FACTORS)), np.float64)


def _log_e(
    canary: ArrayLike, baseline: ArrayLike, share: ArrayLike, null: float, others: list[float]
) -> NDArray[np.float64]:
    terms = [_log_ratio(canary, baseline, share, ratio, null) for ratio in others]
    return np.asarray(logsumexp(np.stack(terms), axis=0) - math.log(len(others)), np.float64)


def _log_ratio(
    canary: ArrayLike, baseline: ArrayLike, share: ArrayLike, ratio: float, null: float = 1.0
) -> NDArray[np.float64]:
    """Log likelihood ratio of whose the events are, for a rate ratio against `null`; segments are summed."""
    ours, theirs = np.asarray(canary, np.float64), np.asarray(baseline, np.float64)
    w = np.asarray(share, np.float64)
    # ln p(d)/p(d0) and ln (1-p(d))/(1-p(d0)); the share itself cancels out of both.
    scale = np.log((w * null + 1 - w) / (w * ratio + 1 - w))
    return np.asarray(np.sum(ours * (math.log(ratio / null) + scale) + theirs * scale, axis=-1), np.float64)
