"""How far probabilities are from what they say."""

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

BINS = 10


def calibration_error(scores: Floats, truth: Floats) -> float:
    """Expected calibration error in bins of equal size (Nixon et al. 2019), in [0, 1].

    Args:
        scores: the probability given to something, [rows].
        truth: whether it was so, 0 or 1, [rows].
    """
    order = np.argsort(scores, kind="stable")
    gaps = np.array_split((scores - truth)[order], BINS)
    return float(sum(abs(part.sum()) for part in gaps) / len(scores))
