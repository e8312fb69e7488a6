"""Is a version worse than the champion for some group of rows, though fine on the whole?

Groups are the classes of the labels, and the values of every `slice.<name>` column of the rows.
"""

from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from gateway.core.types import FLOAT_KINDS, Array
from lifecycle.core.analysis.paired import log_e_worse_than
from lifecycle.core.drift.fdr import e_bh
from lifecycle.core.gates.gain import Gain, gain
from lifecycle.core.inspection import Answers
from lifecycle.core.performance.yardstick import Yardstick
from lifecycle.core.verdict import Finding, Verdict

MARGIN = 0.02
"""How much worse a group may fare: two points of accuracy, or 8 % of the usual error of numbers."""
FEWEST_ROWS = 100
MOST_GROUPS = 1_000
ALPHA = 0.05
MOST_LOG = 700.0  # its exponential is still a number


def slices(compared: Sequence[Answers], yardstick: Yardstick | None = None) -> Finding:
    """Fails when a group is shown to fare worse, few of those named being named by chance (e-BH).

    Args:
        compared: row sets that both versions answered; the first one that has enough labels counts.
        yardstick: of the champion's reference, if it has one.
    """
    for answers in compared:
        gained = gain(answers, yardstick)
        groups = dict(_groups(answers, gained.first)) if gained is not None else {}
        if gained is not None and groups:
            return _judged(gained, groups)
    reason = f"no group has {FEWEST_ROWS} labelled rows that both versions answered"
    return Finding("slices", Verdict.INCONCLUSIVE, reason)


def _judged(gained: Gain, groups: dict[str, NDArray[np.bool_]]) -> Finding:
    gains, say = gained.rows, gained.yardstick.say
    logs = np.array([log_e_worse_than(gains[rows], MARGIN) for rows in groups.values()])
    means = np.array([gains[rows].mean() for rows in groups.values()])
    worse = e_bh(np.exp(np.minimum(logs, MOST_LOG)), ALPHA)
    lowest = int(means.argmin())
    numbers = {
        "groups": float(len(groups)),
        "worse": float(worse.sum()),
        "lowest_gain": float(means[lowest]),
        "margin": MARGIN,
    }
    names = list(groups)
    if worse.any():
        at = int(np.where(worse, means, np.inf).argmin())
        reason = f"{names[at]} fares worse by {say(-means[at])} on {int(groups[names[at]].sum())} rows"
        return Finding("slices", Verdict.FAIL, f"{reason}; it may by {say(MARGIN)}", numbers)
    reason = f"none of {len(groups)} groups is shown to fare worse; lowest: {names[lowest]}"
    return Finding("slices", Verdict.PASS, f"{reason} by {means[lowest]:+.4f}", numbers)


def _groups(answers: Answers, first: int) -> Iterator[tuple[str, NDArray[np.bool_]]]:
    """Groups with enough rows from the `first` on, by name."""
    columns: dict[str, Array] = dict(answers.slices)
    if answers.labels is not None and answers.labels.dtype.kind not in FLOAT_KINDS:
        columns["label"] = answers.labels
    for name, whole in columns.items():
        column = whole[first:]
        values, counts = np.unique(column, return_counts=True)
        for value in values[counts >= FEWEST_ROWS][:MOST_GROUPS].tolist():
            text = value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value)
            yield f"{name} {text!r}", np.asarray(column == value, np.bool_)
