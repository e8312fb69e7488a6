"""How good a version was on the reference rows that it was validated with: what is later held against it."""

from dataclasses import dataclass

from lifecycle.core.analysis.late import Labelled
from lifecycle.core.performance.answers import Measure
from lifecycle.core.performance.yardstick import Yardstick
from lifecycle.core.version import Version


@dataclass(frozen=True, slots=True)
class Reference:
    """What the reference rows say of a version.

    Args:
        value: accuracy, or the mean absolute error.
        labelled: the rows and their losses by the yardstick.
    """

    yardstick: Yardstick
    value: float
    labelled: Labelled

    @classmethod
    def of_classes(cls, rows: int, wrong: int) -> "Reference":
        return cls(Yardstick.CLASSES, (rows - wrong) / rows, Labelled(rows, wrong))


def reference_of(version: Version) -> Reference | None:
    """None if it came without labelled rows, or none that its answers could be compared with."""
    for finding in version.evidence:
        if finding.name == "accuracy" and "candidate" in finding.numbers:
            rows, numbers = int(finding.numbers["rows"]), finding.numbers
            if "mae" not in numbers:
                return Reference.of_classes(rows, round((1 - numbers["candidate"]) * rows))
            yardstick = Yardstick.of(Measure.MAE, numbers["mae"])
            return Reference(yardstick, numbers["mae"], Labelled(rows, numbers["loss"] * rows))
    return None
