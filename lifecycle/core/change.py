"""Whether and since when answers are wrong more often than they were. Judges labelled rows only."""

import math
from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lifecycle.core.analysis.bound import CERTAIN
from lifecycle.core.analysis.evidence import Labelled
from lifecycle.core.drift.baseline import Baseline
from lifecycle.core.drift.edetector import EDetector
from lifecycle.core.performance.interval import wilson

RECENT_ROWS = 300
BATCH = 10
"""Labels that the detector takes at once: few beside any delay, and a tenth of the time."""


@dataclass(frozen=True, slots=True)
class Fall:
    """A confirmed loss of accuracy.

    Args:
        since: the `at` of the first row after the change, Unix seconds; `rows` were labelled since.
        accuracy: of the newest of them, and `upper`, the upper end of its 95 % interval.
        reference: accuracy before: the reference's, or without one the least that it was live.
    """

    since: float
    rows: int
    accuracy: float
    upper: float
    reference: float

    def as_json(self) -> dict[str, Any]:
        return asdict(self)


@dataclass(frozen=True, slots=True)
class Track:
    """What the labels of one version have shown so far: the whole state of the search.

    An e-detector takes the labels as they come. Its rate before a change is the highest that the reference
    and the labels before allow (`Baseline`), and the margin: while answers lack no more accuracy than that, a
    false alarm comes once in a million labels on average, however often one looks, provided that the bound
    holds, as it does with nine chances in ten. Each label counts once and in order, so the state goes on from
    look to look. Begun again with the newest labels alone it knows less.

    Args:
        usual: accuracy on the reference; None without one.
        margin: loss of accuracy that is tolerated.
        came: when the last label came that was taken, Unix seconds.
        fall: the one that stands after it, if one does.
    """

    usual: float | None
    margin: float
    baseline: Baseline
    detector: EDetector
    came: float = -math.inf
    fall: Fall | None = None

    @classmethod
    def of(cls, reference: Labelled | None, margin: float) -> "Track":
        """Before any label came. `reference`: rows whose labels were known before; None without any."""
        known = reference or Labelled()
        usual = (known.rows - known.wrong) / known.rows if known.rows else None
        return cls(usual, margin, Baseline.of(known.wrong, known.rows), EDetector(1 - CERTAIN))

    def feed(self, wrong: float, total: int, at: float | None = None) -> "Track":
        """After `total` more labels of which `wrong` say that an answer was wrong; see `EDetector.feed`."""
        tolerated = min(self.baseline.bound + self.margin, 1 - CERTAIN)
        detector = replace(self.detector, p0=tolerated).feed(wrong, total, at)
        return replace(self, baseline=self.baseline.feed(wrong, total), detector=detector)

    def follow(
        self, at: NDArray[np.float64], came: NDArray[np.float64], correct: NDArray[np.bool_]
    ) -> "Track":
        """After all labels that came since the last one taken.

        Args:
            at, came, correct: when each row was answered and when its label came, Unix seconds, and whether
                the answer was right; [N], in the order in which the labels came.
        """
        first = int(np.searchsorted(came, self.came, side="right"))
        if first == len(came):
            return self
        track = self
        for start in range(first, len(came), BATCH):
            batch = correct[start : start + BATCH]
            track = track.feed(float((~batch).sum()), len(batch), float(at[start]))
        return replace(track, came=float(came[-1]), fall=track._measured(at, correct, first))

    def _measured(self, at: NDArray[np.float64], correct: NDArray[np.bool_], first: int) -> Fall | None:
        """`first`: row that was not there at the look before, when the oldest now missing still were."""
        if not self.detector.alarm:
            return None
        since = self.detector.began
        changed = at >= since
        own = correct[changed]
        before = self.fall.rows if self.fall and self.fall.since == since else int(changed[:first].sum())
        rows = before + int(changed[first:].sum())
        accuracy, _, upper = wilson(int(own[-RECENT_ROWS:].sum()), min(len(own), RECENT_ROWS))
        usual = 1 - self.baseline.bound if self.usual is None else self.usual
        return Fall(since, rows, accuracy, upper, usual)
