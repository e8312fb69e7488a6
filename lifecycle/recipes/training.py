"""What a recipe is given: labelled rows. A recipe is a function from these to an ONNX model."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gateway.core.types import Array


@dataclass(frozen=True, slots=True)
class TrainingData:
    """Labelled rows. Treat the arrays as read-only.

    Args:
        inputs: the model's input tensors by name, each [rows, ...], as callers send them.
        labels: the truth, [rows]: int64, float64 or text.
        weights: how much each row counts, float64 [rows], 1 on average.
    """

    inputs: Mapping[str, Array]
    labels: Array
    weights: NDArray[np.float64]

    def __post_init__(self) -> None:
        lengths = {len(self.labels), len(self.weights)} | {len(array) for array in self.inputs.values()}
        if len(lengths) != 1:
            raise ValueError("inputs, labels and weights differ in length")


Recipe = Callable[[TrainingData], Any]
"""Trains a model: gives an ONNX ModelProto, or its bytes."""


def hold_out(rows: int, every: int, seed: int = 0) -> NDArray[np.bool_]:
    """Mark one row in `every`, at random but always the same ones for the same number of rows."""
    held = np.zeros(rows, np.bool_)
    held[np.random.default_rng(seed).permutation(rows)[: rows // every]] = True
    return held


def balance(recent: NDArray[np.bool_]) -> NDArray[np.float64]:
    """Weights under which the recent rows count at least as much as all earlier ones; 1 on average.

    Rows of one group weigh the same. When the recent rows are the majority already, all weigh 1.
    """
    late, early = int(recent.sum()), int((~recent).sum())
    weights = np.ones(len(recent))
    if 0 < late < early:
        weights[recent] = len(recent) / (2 * late)
        weights[~recent] = len(recent) / (2 * early)
    return weights
