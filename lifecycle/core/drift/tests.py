"""Did one feature's distribution change? P-values and an effect size from counts in fixed bins."""

import math

import numpy as np
from numpy.typing import NDArray
from scipy.special import chdtrc, kolmogorov

Counts = NDArray[np.int64]


def ks_p_value(reference: Counts, live: Counts) -> tuple[float, float]:
    """Two-sample Kolmogorov-Smirnov distance at the bin edges, and its asymptotic p-value.

    Binning can only shrink the distance, so the p-value is on the safe side.

    Args:
        reference: counts by bin in ascending order, [bins].
        live: like `reference`.
    """
    n, m = int(reference.sum()), int(live.sum())
    if not n or not m:
        return 0.0, 1.0
    distance = float(np.abs(np.cumsum(reference) / n - np.cumsum(live) / m).max())
    return distance, float(kolmogorov(math.sqrt(n * m / (n + m)) * distance))


def chi_square_p_value(reference: Counts, live: Counts) -> tuple[float, float]:
    """Two-sample chi-square statistic of homogeneity, and its p-value.

    Categories expected fewer than 5 times in either sample are pooled first (Cochran 1954).

    Args:
        reference: counts by category, [categories].
        live: like `reference`.
    """
    n, m = int(reference.sum()), int(live.sum())
    if not n or not m:
        return 0.0, 1.0
    both = reference + live
    rare = both * (min(n, m) / (n + m)) < 5
    observed = np.array([_pool(reference, rare), _pool(live, rare)], np.float64)
    observed = observed[:, observed.sum(axis=0) > 0]
    expected = observed.sum(axis=0) * (np.array([[n], [m]]) / (n + m))
    statistic = float(((observed - expected) ** 2 / expected).sum())
    freedom = observed.shape[1] - 1
    return statistic, float(chdtrc(freedom, statistic)) if freedom else 1.0


def _pool(counts: Counts, rare: NDArray[np.bool_]) -> Counts:
    return np.append(counts[~rare], counts[rare].sum())


def psi(reference: Counts, live: Counts) -> float:
    """Population stability index, less what chance alone adds on average; never below 0.

    Without a change PSI is about (1/n + 1/m) times a chi-square with bins - 1 degrees of freedom
    (Yurdakul and Naranjo 2020), so a small sample looks like drift unless that mean is taken off.
    """
    n, m = int(reference.sum()), int(live.sum())
    used = (reference + live) > 0
    bins = int(used.sum())
    if not n or not m or bins < 2:
        return 0.0
    # Half a count per bin keeps an empty bin finite.
    p = (reference[used] + 0.5) / (n + bins / 2)
    q = (live[used] + 0.5) / (m + bins / 2)
    index = float(((q - p) * np.log(q / p)).sum())
    return max(index - (bins - 1) * (1 / n + 1 / m), 0.0)
