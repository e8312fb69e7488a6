"""Tensors as the rows that estimates are made of: numbers to tell rows apart by, and what was answered."""

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from gateway.core.types import FLOAT_KINDS, Array
from lifecycle.core.performance.answers import Measure

MOST_FEATURES = 256
"""Of more, that many are taken at even distances: pixels next to each other say the same."""

Floats = NDArray[np.float64]


class Rows(NamedTuple):
    """What an estimate knows of some predictions.

    Args:
        features: [rows, features], NaN where a value is missing.
        scores: of each class, [rows, classes >= 2], adding up to 1; or the numbers answered, [rows, 1].
    """

    features: Floats
    scores: Floats


def estimable(
    inputs: Mapping[str, Array], outputs: Mapping[str, Array], measure: Measure = Measure.ACCURACY
) -> Rows | None:
    """None if no output holds probabilities: [N, K] that add up to 1, or [N] of the second of two classes.

    Args:
        inputs: by tensor, rows first; text is left out.
        outputs: like `inputs`, of the same rows.
        measure: of answers that are numbers, an output has to hold single finite ones, [N].
    """
    read = _probabilities if measure is Measure.ACCURACY else _numbers
    scores = next((found for array in outputs.values() if (found := read(array)) is not None), None)
    if scores is None:
        return None
    numbers = [array for array in inputs.values() if array.dtype.kind in f"biu{FLOAT_KINDS}"]
    flat = [array.reshape(len(scores), -1).astype(np.float64) for array in numbers]
    features = np.concatenate([np.zeros((len(scores), 0)), *flat], axis=1)
    if features.shape[1] > MOST_FEATURES:
        features = features[:, np.linspace(0, features.shape[1] - 1, MOST_FEATURES).astype(np.int64)]
    return Rows(np.where(np.isfinite(features), features, np.nan), scores)


def _numbers(array: Array) -> Floats | None:
    if array.dtype.kind not in FLOAT_KINDS or not array.size or array.size != len(array):
        return None
    numbers = array.reshape(-1, 1).astype(np.float64)
    return numbers if np.isfinite(numbers).all() else None


def _probabilities(array: Array) -> Floats | None:
    if array.dtype.kind not in FLOAT_KINDS or not array.size:
        return None
    scores = array.reshape(len(array), -1).astype(np.float64)
    if not (np.isfinite(scores).all() and scores.min() >= 0 and scores.max() <= 1 + 1e-6):
        return None
    if scores.shape[1] == 1:
        return np.concatenate([1 - scores, scores], axis=1)
    return scores if np.abs(scores.sum(axis=1) - 1).max() < 1e-3 else None
