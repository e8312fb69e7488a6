"""Which of many features drifted, with few false ones among them, however they depend on each other."""

import numpy as np
from numpy.typing import NDArray


def e_from_p(p_values: NDArray[np.float64]) -> NDArray[np.float64]:
    """E-values p^(-1/2) / 2 from p-values (Vovk and Wang 2021, calibrator with kappa = 1/2)."""
    return np.asarray(0.5 / np.sqrt(np.maximum(p_values, 1e-300)), np.float64)


def e_bh(e_values: NDArray[np.float64], alpha: float) -> NDArray[np.bool_]:
    """e-BH (Wang and Ramdas 2022): false discovery rate at most alpha under any dependence.

    Rejects the k largest of d e-values for the greatest k whose k-th largest is at least d / (k alpha).

    Returns:
        Rejected or not, in the order given.
    """
    d = len(e_values)
    order = np.argsort(-e_values)
    enough = e_values[order] * np.arange(1, d + 1) >= d / alpha
    rejected = np.zeros(d, np.bool_)
    if enough.any():
        rejected[order[: int(np.flatnonzero(enough)[-1]) + 1]] = True
    return rejected
