"""How sure a share or a mean is that was seen in a number of rows: 95 % intervals."""

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Z_95 = 1.959963984540054


class Interval(NamedTuple):
    """A value and what it may be; NaN where too few rows tell."""

    value: float
    low: float
    high: float


def wilson(found: float, rows: int) -> Interval:
    """The share, and Wilson's interval of it (Wilson 1927); NaN, 0 and 1 without rows."""
    if not rows:
        return Interval(math.nan, 0.0, 1.0)
    share, z2 = found / rows, Z_95**2
    centre = (share + z2 / (2 * rows)) / (1 + z2 / rows)
    half = Z_95 / (1 + z2 / rows) * math.sqrt(share * (1 - share) / rows + z2 / (4 * rows * rows))
    return Interval(share, max(centre - half, 0.0), min(centre + half, 1.0))


def mean(values: NDArray[np.float64]) -> Interval:
    """Of those values that are finite, [rows], by the normal approximation."""
    known = values[np.isfinite(values)]
    if not len(known):
        return Interval(math.nan, math.nan, math.nan)
    middle = float(known.mean())
    half = Z_95 * float(known.std(ddof=1)) / math.sqrt(len(known)) if len(known) > 1 else math.nan
    return Interval(middle, middle - half, middle + half)


def root_mean_square(values: NDArray[np.float64]) -> Interval:
    """The same for the root of the mean square."""
    middle, low, high = mean(values**2)
    return Interval(math.sqrt(middle), math.sqrt(max(low, 0.0)), math.sqrt(high))
