"""Whether and since when answers are worse than they were. Judges labelled rows only."""

import math
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lifecycle.core.analysis.bound import CERTAIN
from lifecycle.core.drift.baseline import Baseline
from lifecycle.core.drift.edetector import EDetector
from lifecycle.core.performance.answers import Errors, Measure
from lifecycle.core.performance.interval import mean, wilson
from lifecycle.core.performance.reference import Reference
from lifecycle.core.performance.yardstick import FEWEST, Yardstick, learnt

RECENT_ROWS = 300
BATCH = 10
"""Labels that the detector takes at once: few beside any delay, and a tenth of the time."""


@dataclass(frozen=True, slots=True)
class Fall:
    """A confirmed loss: of accuracy, or a rise of the mean absolute error.

    Args:
        since: the `at` of the first row after the change, Unix seconds; `rows` were labelled since.
        value: of the measure, over the newest of them, and `bound` the end of its 95 % interval that is
            nearer to what was before: the upper one of an accuracy, the lower one of an error.
        reference: the value before: the reference's, or without one the worst that it was live.
    """

    since: float
    rows: int
    measure: Measure
    value: float
    bound: float
    reference: float

    def __str__(self) -> str:
        if self.measure is Measure.ACCURACY:
            return f"accuracy {self.value:.1%}, was {self.reference:.1%}"
        return f"mean absolute error {self.value:.4g}, was {self.reference:.4g}"

    def as_json(self) -> dict[str, Any]:
        bound = "upper" if self.measure is Measure.ACCURACY else "lower"
        told = {"since": self.since, "rows": self.rows, "measure": str(self.measure)}
        return told | {str(self.measure): self.value, bound: self.bound, "reference": self.reference}


@dataclass(frozen=True, slots=True)
class Track:
    """What the labels of one version have shown so far: the whole state of the search.

    An e-detector takes the losses of labelled rows as labels come. Its rate before a change is the highest
    that the reference and the labels before allow (`Baseline`), and the margin: while answers lose no more
    than that, a false alarm comes once in a million labels on average, however often one looks, provided that
    the bound holds, as it does with nine chances in ten. Each label counts once and in order, so the state
    goes on from look to look. Begun again with the newest labels alone it knows less.

    Args:
        yardstick: what errors count; None until a model without a reference has shown its usual ones.
        usual: accuracy or mean absolute error on the reference; None without one.
        margin: how much more than before may be lost on average.
        came: when the last label came that was taken, Unix seconds.
        fall: the one that stands after it, if one does.
    """

    yardstick: Yardstick | None
    usual: float | None
    margin: float
    baseline: Baseline
    detector: EDetector
    came: float = -math.inf
    fall: Fall | None = None

    @property
    def measure(self) -> Measure | None:
        """What answers are measured by, once no label can tell otherwise."""
        if self.yardstick is None or (self.usual is None and self.yardstick is Yardstick.CLASSES):
            return None
        return self.yardstick.measure

    @classmethod
    def of(cls, reference: Reference | None, margin: float) -> "Track":
        """Before any label came."""
        detector = EDetector(1 - CERTAIN)
        if reference is None:
            return cls(None, None, margin, Baseline.of(), detector)
        known, whole = reference.labelled, reference.yardstick.measure is Measure.ACCURACY
        baseline = Baseline.of(known.loss, known.rows, whole=whole)
        return cls(reference.yardstick, reference.value, margin, baseline, detector)

    def feed(self, loss: float, total: int, at: float | None = None) -> "Track":
        """After `total` more labelled rows with the sum `loss` of their losses; see `EDetector.feed`."""
        tolerated = min(self.baseline.bound + self.margin, 1 - CERTAIN)
        detector = replace(self.detector, p0=tolerated).feed(loss, total, at)
        return replace(self, baseline=self.baseline.feed(loss, total), detector=detector)

    def follow(self, at: NDArray[np.float64], came: NDArray[np.float64], errors: Errors) -> "Track":
        """After all labels that came since the last one taken.

        Args:
            at, came, errors: when each row was answered and when its label came, Unix seconds, and the error
                of the answer; [N], in the order in which the labels came.
        """
        first = int(np.searchsorted(came, self.came, side="right"))
        if first == len(came):
            return self
        yardstick = self.yardstick
        if yardstick is None:
            if (yardstick := learnt(errors)) is None:
                return self
            first = 0 if yardstick is Yardstick.CLASSES else FEWEST
        elif yardstick.measure is not errors.measure:  # labels of 0 and 1 were taken for classes
            return Track.of(None, self.margin).follow(at, came, errors)
        track, losses = replace(self, yardstick=yardstick), yardstick.losses(errors.rows)
        for start in range(first, len(came), BATCH):
            batch = losses[start : start + BATCH]
            track = track.feed(float(batch.sum()), len(batch), float(at[start]))
        return replace(track, came=float(came[-1]), fall=track._measured(at, errors, yardstick, first))

    def _measured(
        self, at: NDArray[np.float64], errors: Errors, yardstick: Yardstick, first: int
    ) -> Fall | None:
        """`first`: row that was not there at the look before, when the oldest now missing still were."""
        if not self.detector.alarm:
            return None
        since = self.detector.began
        changed = at >= since
        newest = errors.rows[changed][-RECENT_ROWS:]
        before = self.fall.rows if self.fall and self.fall.since == since else int(changed[:first].sum())
        rows = before + int(changed[first:].sum())
        if errors.measure is Measure.ACCURACY:
            value, _, bound = wilson(len(newest) - float(newest.sum()), len(newest))
            usual = 1 - self.baseline.bound
        else:
            value, bound, _ = mean(newest)
            usual = self.baseline.bound * yardstick.scale
        return Fall(since, rows, errors.measure, value, bound, usual if self.usual is None else self.usual)
