"""Which labelled rows a retraining had better not learn from until a person has looked at them.

One source of labels can poison a model, and so can a few labels of a kind that nobody knows. Labels that
disagree with the model are no reason by themselves: they are what retraining is for.
"""

import math
from collections.abc import Collection, Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from gateway.core.types import Array
from lifecycle.core.analysis.ratio import log_e_worse

ALPHA = 0.001
"""The most likely a source that is like the others is put aside, over all sources."""
APART = 0.2
"""So much more often, absolute, a source contradicts the answers than others do at the same time."""
SLICES = 20
"""Of the time of predictions: sources are compared within each, since answers get worse with time."""
FEWEST_OF_A_KIND = 10
"""A class that the reference data do not know counts from so many rows on."""


@dataclass(frozen=True, slots=True, eq=False)
class Aside:
    """Rows that are put aside: a mask [rows], and why."""

    rows: NDArray[np.bool_]
    reason: str

    @property
    def count(self) -> int:
        return int(self.rows.sum())


def suspect_sources(
    sources: NDArray[np.str_], at: NDArray[np.float64], losses: NDArray[np.float64], trusted: Collection[str]
) -> Iterator[Aside]:
    """Sources whose labels contradict the answers far more often than all others' of the same time.

    Judged by the rate-ratio e-process over slices of time, the worst first, and each without those before.

    Args:
        sources: who said each label, [rows].
        at: when its prediction was made, [rows].
        losses: 1 if it says that the answer was wrong, or a part if that is off, [rows].
        trusted: sources that a person has vouched for.
    """
    names = np.unique(sources)
    slices = _slices(at)
    left = np.ones(len(sources), np.bool_)
    while True:
        judged = [
            (*_compared(sources == name, left, slices, losses), str(name))
            for name in names
            if name not in trusted and (left & (sources == name)).any()
        ]
        log_e, own, others, name = max(judged, default=(0.0, 0.0, 0.0, ""))
        if log_e < math.log(len(names) / ALPHA):
            return
        rows = left & (sources == name)
        reason = f"labels from {name!r} contradict {own:.0%} of the answers, others' {others:.0%}"
        yield Aside(rows, reason)
        left &= ~rows


def unheard(labels: Array, known: Array) -> Iterator[Aside]:
    """Rows of classes that reference data do not know and of which there are few.

    Labels of many values, few times each, are no classes.
    """
    spelled, heard = labels.astype(np.str_), set(known.astype(np.str_).tolist())
    if not heard or len(known) < FEWEST_OF_A_KIND * len(heard):
        return
    for label, count in zip(*np.unique(spelled, return_counts=True), strict=True):
        if label not in heard and count < FEWEST_OF_A_KIND:
            reason = f"the label {str(label)[:40]!r} is unknown and came {count} times"
            yield Aside(spelled == label, reason)


def _compared(
    own: NDArray[np.bool_], left: NDArray[np.bool_], slices: NDArray[np.int64], losses: NDArray[np.float64]
) -> tuple[float, float, float]:
    """Log e-value of one source (0 where it is not far apart), its rate and the others' where both spoke."""
    ours, theirs = left & own, left & ~own

    def summed(rows: NDArray[np.bool_], of: NDArray[np.float64]) -> NDArray[np.float64]:
        return np.bincount(slices[rows], of[rows], SLICES).astype(np.float64)

    n, m = (summed(side, np.ones(len(losses))) for side in (ours, theirs))
    both = (n > 0) & (m > 0)
    if not both.any():
        return 0.0, 0.0, 0.0
    x, y = summed(ours, losses), summed(theirs, losses)
    # The others' rate as it would be at the source's times.
    rate = float(x[both].sum() / n[both].sum())
    usual = float((y[both] / m[both] * n[both]).sum() / n[both].sum())
    if rate < usual + APART:
        return 0.0, rate, usual
    return float(log_e_worse(x[both], y[both], n[both] / (n[both] + m[both]))), rate, usual


def _slices(at: NDArray[np.float64]) -> NDArray[np.int64]:
    """The slice of each row: of equal numbers of rows, oldest first."""
    ranks = np.argsort(np.argsort(at, kind="stable"), kind="stable")
    return (ranks * SLICES // max(len(at), 1)).astype(np.int64)
