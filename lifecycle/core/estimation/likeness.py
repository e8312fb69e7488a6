"""Are new rows like those of the reference, and does it know any like them? Else nothing can be said."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lifecycle.core.estimation.shift import Shift, shift
from lifecycle.core.performance.rows import Rows

Floats = NDArray[np.float64]

UNLIKE = 0.6
"""New rows that are told from the reference better than this (AUC) are unlike it."""
FEWEST_EFFECTIVE = 200
MOST_UNSEEN = 0.05
"""Share of the new rows that lie where the reference has none."""


@dataclass(frozen=True, slots=True, eq=False)
class Likeness:
    """How new rows compare with the reference.

    Args:
        like: they are hardly told from it.
        unknown: why nothing can be said of them; empty if something can.
    """

    shift: Shift
    like: bool
    unknown: str = ""


def likeness(reference: Rows, new: Rows) -> Likeness:
    """Compares features and what was answered to them."""
    old_rows, new_rows = _joined(reference), _joined(new)
    # As many as there are new ones are enough to see whether there is anything to weigh.
    few = np.linspace(0, len(old_rows) - 1, min(len(old_rows), len(new_rows))).astype(np.int64)
    seen = shift(old_rows[few], new_rows)
    if (unseen := _unseen(reference.features, new.features)) > MOST_UNSEEN:
        return Likeness(seen, False, f"{unseen:.1%} of the rows lie where the reference has none")
    if seen.auc <= UNLIKE:
        return Likeness(seen, True)
    whole = seen if len(few) == len(old_rows) else shift(old_rows, new_rows)
    if (rows := whole.effective_rows) < FEWEST_EFFECTIVE:
        return Likeness(whole, False, f"the reference has only about {rows:.0f} rows like them")
    return Likeness(whole, False)


def _joined(rows: Rows) -> Floats:
    # Of several classes the first one's score says nothing more.
    scores = rows.scores[:, 1:] if rows.scores.shape[1] > 1 else rows.scores
    return np.concatenate([rows.features, scores], axis=1)


def _unseen(reference: Floats, new: Floats) -> float:
    """The largest share, over features, of new values beyond all reference values."""
    with np.errstate(invalid="ignore"):
        beyond = (new < np.nanmin(reference, axis=0)) | (new > np.nanmax(reference, axis=0))
    return float(beyond.mean(axis=0).max(initial=0.0))
