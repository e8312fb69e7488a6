"""How well answers match labels, as one number where higher is better and 1 is perfect."""

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from gateway.core.types import Array


class Score(NamedTuple):
    """`measure` is `accuracy`, or `R²` (the share of variance explained; may be below 0)."""

    measure: str
    value: float


def score(outputs: Mapping[str, Array], labels: Array) -> Score | None:
    """Judge the first output that can be compared with the labels; None if there is none.

    Args:
        outputs: the version's answers, [N] or [N, K].
        labels: [N] classes (integer, boolean, text) or values (float).

    Labels are compared with an output of classes, else with the argmax of scores [N, K > 1], else with
    single scores: cut at 0.5 for labels of 0 and 1, as predicted values for all others.
    """
    if not len(labels):
        return None
    columns = {name: _single(array) for name, array in outputs.items() if len(array) == len(labels)}
    for column in columns.values():
        if column is not None and column.dtype.kind != "f":
            return Score("accuracy", float(np.mean(_text(column) == _text(labels))))
    numeric = labels.dtype.kind in "biuf"
    if not numeric:
        return None
    truth = labels.astype(np.float64)
    for name, column in columns.items():
        if column is not None and labels.dtype.kind != "f" and np.isin(truth, (0, 1)).all():
            return Score("accuracy", float(np.mean((column.astype(np.float64) >= 0.5) == truth)))
        if column is not None:
            return Score("R²", _explained(column.astype(np.float64), truth))
        if outputs[name].ndim == 2:
            return Score("accuracy", float(np.mean(outputs[name].argmax(axis=1) == truth)))
    return None


def _single(array: Array) -> Array | None:
    if array.ndim == 1:
        return array
    return array[:, 0] if array.ndim == 2 and array.shape[1] == 1 else None


def _text(values: Array) -> Array:
    """Classes under one spelling, so that 1, 1.0, True and b"1" are the same class."""
    if values.dtype.kind == "O":
        texts = [v.decode("utf-8", "replace") if isinstance(v, bytes) else str(v) for v in values.tolist()]
        return np.array(texts, np.str_)
    if values.dtype.kind == "f" and np.all(values == np.round(values.astype(np.float64))):
        values = values.astype(np.int64)
    return (values.astype(np.int64) if values.dtype.kind == "b" else values).astype(np.str_)


def _explained(answers: NDArray[np.float64], truth: NDArray[np.float64]) -> float:
    errors = float(np.sum((answers - truth) ** 2))
    spread = float(np.sum((truth - np.mean(truth)) ** 2))
    if spread == 0:
        return 1.0 if errors == 0 else 0.0
    return 1 - errors / spread
