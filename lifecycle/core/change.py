"""Whether and since when answers are wrong more often than they were. Judges labelled rows only."""

import math
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lifecycle.core.drift.edetector import EDetector

Z = 2.576
"""Two-sided 99 %."""
RECENT_ROWS = 300
FEWEST_REFERENCE_ROWS = 100
BATCH = 10
"""Labels that the detector takes at once: few beside any delay, and a tenth of the time."""
CERTAIN = 1e-6


@dataclass(frozen=True, slots=True)
class Fall:
    """A confirmed loss of accuracy. `since` is the `at` of the first row after the change, Unix seconds."""

    since: float
    rows: int
    accuracy: float
    upper: float
    reference: float

    def as_json(self) -> dict[str, Any]:
        return asdict(self)


def find_fall(
    at: NDArray[np.float64], correct: NDArray[np.bool_], reference: float | None, margin: float
) -> Fall | None:
    """The fall that stands after the last label, if one does.

    An e-detector takes the labels as they came: while the accuracy lacks no more than the margin, a false
    alarm comes once in a million labels on average, however often one looks. To leave out the oldest labels
    only lowers its evidence, so nothing but the rows themselves has to be kept.

    Args:
        at, correct: labelled rows of one version, [N], in the order in which their labels came.
        reference: accuracy to compare with; None for that of the first 100 rows.
    """
    known = 0 if reference is not None else FEWEST_REFERENCE_ROWS
    if len(at) <= known:
        return None
    right = int(correct[:known].sum())
    usual = reference if reference is not None else right / known
    tolerated = 1 - usual + margin
    if known:
        tolerated = max(tolerated, wilson_upper(known - right, known))
    at, correct = at[known:], correct[known:]
    detector = EDetector(min(max(tolerated, CERTAIN), 1 - CERTAIN))
    starts = np.arange(0, len(correct), BATCH)
    totals = np.diff(np.append(starts, len(correct)))
    for wrong, total in zip(
        np.add.reduceat(~correct, starts, dtype=np.int64).tolist(), totals.tolist(), strict=True
    ):
        detector = detector.feed(wrong, total)
    if not detector.alarm:
        return None
    since = float(at[detector.began])
    recent = correct[max(detector.began, len(correct) - RECENT_ROWS) :]
    upper = wilson_upper(int(recent.sum()), len(recent))
    return Fall(since, int((at >= since).sum()), float(recent.mean()), upper, usual)


def wilson_upper(right: int, rows: int, z: float = Z) -> float:
    """Upper end of Wilson's interval of a share (Wilson 1927)."""
    share, spread = right / rows, z * z / rows
    half = z * math.sqrt(share * (1 - share) / rows + spread / (4 * rows))
    return (share + spread / 2 + half) / (1 + spread)
