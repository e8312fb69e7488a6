"""The newest live counts of one version beside its reference: what a drift test compares."""

from collections import deque
from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from gateway.core.binning import Bin, Counts
from gateway.core.profile import Profile
from lifecycle.core.drift.report import DriftReport, judge

NEWEST_ROWS = 2_000
FRESH_ROWS = 100
"""Rows that must be new before the counts are judged again: a second look at the same is no evidence."""


class LiveCounts:
    """Counts of at least the newest 2,000 rows, as long as so many were seen."""

    def __init__(self, profile: Profile) -> None:
        self._profile = profile
        self._parts: deque[tuple[int, Mapping[str, Counts]]] = deque()
        self._sum = {key: np.zeros_like(counts) for key, counts in profile.reference.items()}
        self._fresh = 0
        self.rows = 0

    def add(self, counts: Mapping[str, Counts]) -> None:
        """Counts that this profile's bins were used for; others are of another version's and ignored."""
        fitting = {
            key: table
            for key, table in counts.items()
            if key in self._sum and table.shape == self._sum[key].shape
        }
        rows = max((int(table[0].sum()) for table in fitting.values()), default=0)
        if not rows:
            return
        self._parts.append((rows, fitting))
        self.rows += rows
        self._fresh += rows
        for key, table in fitting.items():
            self._sum[key] += table
        while self.rows - self._parts[0][0] >= NEWEST_ROWS:
            gone, old = self._parts.popleft()
            self.rows -= gone
            for key, table in old.items():
                self._sum[key] -= table

    def judge(self, alpha: float, floor: float) -> DriftReport | None:
        """All features of all tensors in one report; None while too little is new since the last one."""
        if self._fresh < FRESH_ROWS:
            return None
        self._fresh = 0
        keys = self._profile.keys()
        width = max(table.shape[1] for table in self._sum.values())
        return judge(
            np.concatenate([_in_order(self._profile.reference[key], width) for key in keys]),
            np.concatenate([_in_order(self._sum[key], width) for key in keys]),
            np.concatenate([self._profile.ordered(key) for key in keys]),
            [name for key in keys for name in self._profile.names(key)],
            alpha,
            floor,
        )


def _in_order(counts: Counts, width: int) -> Counts:
    """Bins from the lowest values to the highest, as a test of ordered bins needs them; [F, width]."""
    padded: NDArray[np.int64] = np.pad(counts, ((0, 0), (0, width - counts.shape[1])))
    before = [Bin.MISSING, Bin.OTHER, Bin.UNSEEN, Bin.NEG_INF, Bin.BELOW]
    order = [*before, *range(Bin.FIRST, width), Bin.ABOVE, Bin.POS_INF, Bin.NAN]
    return padded[:, order]
