"""Which answers were right, or how far off they were, row by row, once the label is known."""

from collections.abc import Mapping, Sequence
from enum import StrEnum
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from gateway.core.signature import TensorSpec
from gateway.core.types import FLOAT_KINDS, Array


class Measure(StrEnum):
    """What a model's answers are measured by."""

    ACCURACY = "accuracy"
    """It names a class, which is right or wrong."""
    MAE = "mae"
    """It answers a number, which is more or less off: the mean absolute error."""


class Errors(NamedTuple):
    """How wrong answers were.

    Args:
        rows: float64 [N]: 0 and 1 for right and wrong, or how far off; infinite for no number.
    """

    measure: Measure
    rows: NDArray[np.float64]


def errors(outputs: Mapping[str, Array], labels: Array, measure: Measure | None = None) -> Errors | None:
    """The error of each row; None if no output can be compared with the labels.

    Args:
        outputs, labels: as for `correct`.
        measure: if it is known; else an answer is a class where it may be one. A few labels of 0 and 1 alone
            do not tell numbers from classes.
    """
    if measure is not Measure.MAE and (right := correct(outputs, labels)) is not None:
        return Errors(Measure.ACCURACY, (~right).astype(np.float64))
    predicted = None if measure is Measure.ACCURACY else values(outputs, labels)
    if predicted is None:
        return None
    off = np.abs(predicted - labels.astype(np.float64))
    off[~np.isfinite(off)] = np.inf
    return Errors(Measure.MAE, off)


def correct(outputs: Mapping[str, Array], labels: Array) -> NDArray[np.bool_] | None:
    """Right or wrong per row, [N]; None if no output names a class.

    Args:
        outputs: answers by tensor, [N] or [N, K]; those of another length are left out.
        labels: the truth, [N].

    The first output of whole numbers or text is the class; else, for labels of whole numbers, the argmax
    of the first scores [N, K > 1]; else, for labels of 0 and 1, the first single scores, cut at 0.5.
    """
    found = [array for array in outputs.values() if array.shape[:1] == labels.shape]
    columns = [array[:, 0] if array.shape[1:] == (1,) else array for array in found]
    for column in columns:
        if column.ndim == 1 and column.dtype.kind not in FLOAT_KINDS:
            return np.asarray(spelled(column) == spelled(labels), np.bool_)
    if labels.dtype.kind not in "biuf":
        return None
    truth = labels.astype(np.float64)
    if not (truth == np.round(truth)).all():
        return None
    for column in columns:
        if column.ndim == 2 and column.shape[1] and column.dtype.kind in f"biu{FLOAT_KINDS}":
            return np.asarray(column.argmax(axis=1) == truth, np.bool_)
    for column in columns:
        if column.ndim == 1 and np.isin(truth, (0, 1)).all():
            return np.asarray((column.astype(np.float64) >= 0.5) == truth, np.bool_)
    return None


def class_output(outputs: Sequence[TensorSpec]) -> TensorSpec | None:
    """The output that `correct` takes for the class whatever the labels are; None if that depends on them."""
    single = (spec for spec in outputs if len(spec.shape) == 1 or spec.shape[1:] == (1,))
    return next((spec for spec in single if spec.dtype.kind not in FLOAT_KINDS), None)


def values(outputs: Mapping[str, Array], labels: Array) -> NDArray[np.float64] | None:
    """The number predicted per row, float64 [N]: the first single numbers. None if labels are no numbers."""
    if labels.dtype.kind not in "biuf":
        return None
    for array in outputs.values():
        if array.shape in (labels.shape, (*labels.shape, 1)) and array.dtype.kind in f"biu{FLOAT_KINDS}":
            return array.ravel().astype(np.float64)
    return None


def spelled(values: Array) -> Array:
    """Classes under one spelling, so that 1, 1.0, True and b"1" are the same class."""
    if values.dtype.kind == "O":
        texts = [v.decode("utf-8", "replace") if isinstance(v, bytes) else str(v) for v in values.tolist()]
        return np.array(texts, np.str_)
    if values.dtype.kind in f"b{FLOAT_KINDS}":
        numbers = values.astype(np.float64)
        if (numbers == np.round(numbers)).all():
            return numbers.astype(np.int64).astype(np.str_)
    return values.astype(np.str_)
