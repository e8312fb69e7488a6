"""What an error counts: as a loss in [0, 1], whatever the model answers. Tests on labels are of losses."""

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from lifecycle.core.performance.answers import Errors, Measure

FEWEST = 100
"""Errors from which the scale of a model without a reference is taken."""
PARTS = 4.0
"""A loss of 1 is so many times the usual mean error. A model as good as ever then loses a quarter a row, few
errors are cut off (one in 700 where they are normal), and a margin of 0.05 is a fifth of the usual error."""
SMALLEST = 1e-9
"""The scale of a model without any error."""


@dataclass(frozen=True, slots=True)
class Yardstick:
    """Turns errors into losses.

    Args:
        scale: the error that counts as a loss of 1, in the label's unit, as do all larger ones. That of
            classes is 1: a loss is then a wrong answer.
    """

    measure: Measure
    scale: float = 1.0

    CLASSES: ClassVar["Yardstick"]

    @classmethod
    def of(cls, measure: Measure, usual: float) -> "Yardstick":
        """`usual`: the model's mean error as it was, e.g. on its reference."""
        return cls.CLASSES if measure is Measure.ACCURACY else cls(measure, max(PARTS * usual, SMALLEST))

    def losses(self, errors: NDArray[np.float64]) -> NDArray[np.float64]:
        """Of errors of any shape."""
        return np.minimum(errors / self.scale, 1.0)

    def say(self, loss: float) -> str:
        """A mean loss in the label's unit; that of classes as a share."""
        return f"{loss:.3%}" if self.measure is Measure.ACCURACY else f"{loss * self.scale:.4g}"

    def as_json(self) -> dict[str, Any]:
        return {"measure": str(self.measure), "scale": self.scale}

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> "Yardstick":
        return cls(Measure(data["measure"]), float(data["scale"]))


Yardstick.CLASSES = Yardstick(Measure.ACCURACY)


def learnt(errors: Errors) -> Yardstick | None:
    """The yardstick of a model without a reference, from its first errors, oldest first; None of too few.

    Those that the scale is taken from must not be judged by it.
    """
    if errors.measure is Measure.ACCURACY:
        return Yardstick.CLASSES
    known = errors.rows[:FEWEST]
    if len(known) < FEWEST or not np.isfinite(known).any():
        return None
    return Yardstick.of(errors.measure, float(known[np.isfinite(known)].mean()))
