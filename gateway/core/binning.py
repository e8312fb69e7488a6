"""Bins of one feature: where a value is counted, fixed by the reference data for a version's lifetime.

Fixed bins at reference quantiles merge exactly across workers, and 64 of them keep nearly all the
power of the exact two-sample Kolmogorov-Smirnov test (.80 against .86 for a 0.05 sigma shift, m = 5,000).
"""

import math
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from enum import IntEnum

import numpy as np
from numpy.typing import NDArray

Counts = NDArray[np.int64]
Floats = NDArray[np.float64]
Value = int | bytes

ORDERED_BINS = 64
TOP_VALUES = 255
TAIL_VALUES = 4096


def histogram(values: NDArray[np.generic], edges: NDArray[np.generic]) -> Counts:
    """Count values between edges, which are inclusive upper bounds; int64 [len(edges) + 1].

    Bin i holds values in (edges[i-1], edges[i]]; the last one holds what is above all edges, and NaN.
    """
    bins = np.searchsorted(edges, values)
    return np.bincount(bins, minlength=len(edges) + 1).astype(np.int64)


class Bin(IntEnum):
    """Columns that every feature's counts start with; the value bins follow from `FIRST` on."""

    MISSING = 0
    """An empty string."""
    NAN = 1
    POS_INF = 2
    NEG_INF = 3
    BELOW = 4
    """Finite, under the reference minimum."""
    ABOVE = 5
    """Finite, over the reference maximum."""
    OTHER = 6
    """A category of the reference data that is not among its most frequent ones."""
    UNSEEN = 7
    """A category that is not in the reference data."""
    FIRST = 8


@dataclass(frozen=True, slots=True, eq=False)
class Ordered:
    """A number, compared by order.

    Args:
        edges: float64 [bins], ascending and unique. Bin i holds values in (edges[i-1], edges[i]]; the
            first one holds values from the reference minimum on, and the last edge is the maximum.
    """

    name: str
    low: float
    edges: Floats
    _bounds: Floats = field(init=False, repr=False)

    def __post_init__(self) -> None:
        # One bound just under the minimum makes one search find below, the bins and above.
        low = math.nextafter(self.low, -math.inf) if len(self.edges) else -math.inf
        object.__setattr__(self, "_bounds", np.concatenate([[low], self.edges]))

    @classmethod
    def of(cls, name: str, values: Floats) -> "Ordered":
        """Bins of about equal reference counts; with at most 64 distinct values, one bin for each."""
        finite = np.sort(values[np.isfinite(values)])
        if not len(finite):
            return cls(name, 0.0, finite)
        edges = np.unique(finite)
        if len(edges) > ORDERED_BINS:
            ranks = np.arange(1, ORDERED_BINS + 1) * len(finite)
            edges = np.unique(finite[-(-ranks // ORDERED_BINS) - 1])
        return cls(name, float(finite[0]), edges)

    @property
    def width(self) -> int:
        return Bin.FIRST + len(self.edges)

    def count(self, values: Floats, into: Counts) -> None:
        """Add values, float64 [rows], to one row of counts. Infinities and NaN must be absent."""
        found = np.bincount(np.searchsorted(self._bounds, values), minlength=len(self._bounds) + 1)
        into[Bin.BELOW] += found[0]
        into[Bin.FIRST : self.width] += found[1:-1]
        into[Bin.ABOVE] += found[-1]


@dataclass(frozen=True, slots=True, eq=False)
class Categorical:
    """A category: an integer or a byte string.

    Args:
        values: the most frequent values of the reference data, each with its own bin.
        tail: the rest of them, counted as OTHER.
        open: the rest was too long to keep, so that OTHER and UNSEEN cannot be told apart: all is OTHER.
    """

    name: str
    values: tuple[Value, ...]
    tail: frozenset[Value] = frozenset()
    open: bool = False
    _column: dict[Value, int] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        column: dict[Value, int] = dict.fromkeys(self.tail, int(Bin.OTHER))
        column.update((value, Bin.FIRST + i) for i, value in enumerate(self.values))
        column[b""] = int(Bin.MISSING)
        object.__setattr__(self, "_column", column)

    @classmethod
    def of(cls, name: str, values: Iterable[Value]) -> "Categorical":
        found = Counter(values)
        found.pop(b"", None)
        ranked = sorted(found, key=lambda value: (-found[value], value))
        top, tail = ranked[:TOP_VALUES], ranked[TOP_VALUES:]
        too_long = len(tail) > TAIL_VALUES
        return cls(name, tuple(top), frozenset() if too_long else frozenset(tail), too_long)

    @property
    def width(self) -> int:
        return Bin.FIRST + len(self.values)

    def count(self, values: Iterable[Value], into: Counts) -> None:
        """Add values to one row of counts."""
        strange = int(Bin.OTHER if self.open else Bin.UNSEEN)
        for value, n in Counter(values).items():
            into[self._column.get(value, strange)] += n


Feature = Ordered | Categorical
