"""How far two versions' answers to the same requests are apart: what a shadow is judged by without labels.

A row differs when its class does. The class is the first output of one whole number or text per row, else
the argmax of the first scores [rows, K > 1]; without either, a row differs when some number is off by more
than `TOLERANCE`. Never holds a row of data; only counts.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from gateway.core.binning import histogram
from gateway.core.types import FLOAT_KINDS, Array, Tensors

Counts = NDArray[np.int64]
Flags = NDArray[np.bool_]

DISTANCE_EDGES: NDArray[np.float64] = np.power(10.0, np.arange(-9, 10), dtype=np.float64)
"""Upper bounds (inclusive) of the distance bins. One more holds what is above, and NaN beside a number."""
DISTANCE_EDGES.setflags(write=False)

TOLERANCE = 0.01
"""Of the larger of the two numbers: nearer than this, two scores are the same answer."""
_SPECK = 1e-6


@dataclass(frozen=True, slots=True, eq=False)
class Disagreement:
    """A mergeable summary of pairs of answers.

    Args:
        pairs: requests that both versions answered.
        differing: of these, the ones with a row that differs.
        rows: rows of all pairs, and `rows_differing` of them.
        distances: rows by their largest absolute difference, per output of numbers that both gave;
            int64 [len(DISTANCE_EDGES) + 1].
        classed: pairs whose answers name classes; `apart` is the sum of each one's share of rows that name
            another, so that a large request counts no more than a small one.
    """

    pairs: int = 0
    differing: int = 0
    rows: int = 0
    rows_differing: int = 0
    distances: Mapping[str, Counts] = field(default_factory=dict)
    classed: int = 0
    apart: float = 0.0

    @classmethod
    def of(cls, comparison: "Comparison", sizes: Iterable[int]) -> "Disagreement":
        """Of requests that were compared in one go; `sizes` are their rows, 1 at least, in order."""
        lengths = np.array([*sizes], np.int64)
        starts = np.cumsum(lengths) - lengths
        differs, others = comparison.differs, comparison.others
        return cls(
            len(starts),
            int(np.logical_or.reduceat(differs, starts).sum()),
            len(differs),
            int(differs.sum()),
            {name: histogram(values, DISTANCE_EDGES) for name, values in comparison.distances.items()},
            0 if others is None else len(starts),
            0.0 if others is None else float((np.add.reduceat(others, starts, dtype=float) / lengths).sum()),
        )

    def merge(self, other: "Disagreement") -> "Disagreement":
        """Both as one. Associative and commutative; an empty one changes nothing."""
        distances = dict(self.distances)
        for name, counts in other.distances.items():
            distances[name] = distances[name] + counts if name in distances else counts
        return Disagreement(
            self.pairs + other.pairs,
            self.differing + other.differing,
            self.rows + other.rows,
            self.rows_differing + other.rows_differing,
            distances,
            self.classed + other.classed,
            self.apart + other.apart,
        )


NO_PAIRS = Disagreement()


class Comparison(NamedTuple):
    """Row by row: `differs`, [rows], and the largest absolute difference per output of numbers, [rows].

    `others` are the rows that name another class, [rows]; None where the answers name none.
    """

    differs: Flags
    distances: dict[str, NDArray[np.float64]]
    others: Flags | None = None


def aligned(left: Tensors, right: Tensors) -> tuple[int, dict[str, Array], dict[str, Array]]:
    """The rows of two answers, and the outputs that both gave with these rows as the first dimension.

    An answer whose outputs do not share their first dimension is one row.
    """
    names = [name for name in left if name in right]
    lengths = {side[name].shape[0] if side[name].ndim else -1 for name in names for side in (left, right)}
    if len(lengths) == 1 and -1 not in lengths:
        return lengths.pop(), {n: left[n] for n in names}, {n: right[n] for n in names}
    return 1, {n: left[n][None] for n in names}, {n: right[n][None] for n in names}


def compare(left: Tensors, right: Tensors, rows: int) -> Comparison:
    """Two versions' answers, as `aligned` gives them; of any number of requests in a row."""
    distances, differs = {}, np.full(rows, not left, np.bool_)
    for name, array in left.items():
        if array.shape != right[name].shape:
            differs |= True
        elif array.dtype.kind != "O" and right[name].dtype.kind != "O":
            distances[name] = _distance(array, right[name])
    alike = [name for name in left if left[name].shape == right[name].shape and left[name].size]
    others = _others(left, right, alike, rows)
    if others is not None:
        return Comparison(differs | others, distances, others)
    for name in alike:
        differs |= _off(left[name], right[name]).reshape(rows, -1).any(axis=1)
    return Comparison(differs, distances)


def _others(left: Tensors, right: Tensors, alike: list[str], rows: int) -> Flags | None:
    for name in alike:
        if left[name].size == rows and left[name].dtype.kind not in FLOAT_KINDS:
            return np.asarray(left[name] != right[name], np.bool_).reshape(rows)
    for name in alike:
        ours, theirs = left[name], right[name]
        scores = ours.ndim == 2 and ours.shape[1] > 1 and ours.dtype.kind in FLOAT_KINDS
        if scores and theirs.dtype.kind != "O":
            lost = np.isnan(ours).any(axis=1) != np.isnan(theirs).any(axis=1)
            return np.asarray(lost | (ours.argmax(axis=1) != theirs.argmax(axis=1)), np.bool_)
    return None


def _off(left: Array, right: Array) -> Flags:
    if "O" in (left.dtype.kind, right.dtype.kind):
        return np.asarray(left != right, np.bool_)
    a, b = left.astype(np.float64), right.astype(np.float64)
    bound = TOLERANCE * np.maximum(np.abs(a), np.abs(b)) + _SPECK
    with np.errstate(invalid="ignore"):
        return np.asarray(~((a == b) | (np.isnan(a) & np.isnan(b)) | (np.abs(a - b) <= bound)), np.bool_)


def _distance(left: Array, right: Array) -> NDArray[np.float64]:
    rows = len(left)
    a, b = (array.astype(np.float64).reshape(rows, -1) for array in (left, right))
    if not a.size:
        return np.zeros(rows)
    with np.errstate(invalid="ignore"):
        apart = np.where((a == b) | (np.isnan(a) & np.isnan(b)), 0.0, np.abs(a - b))
    return np.asarray(np.where(np.isnan(apart), np.inf, apart).max(axis=1), np.float64)
