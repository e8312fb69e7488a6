"""What can be said of answers without their labels. `estimating` says it of classes, `loss` of numbers."""

from enum import StrEnum
from typing import NamedTuple, Protocol

from lifecycle.core.performance.answers import Measure
from lifecycle.core.performance.rows import Rows


class Method(StrEnum):
    CBPE = "cbpe"
    PAPE = "pape"
    DLE = "dle"
    NONE = "none"
    """Abstained: the new rows are too unlike the reference."""


class Expected(NamedTuple):
    """Of some new rows.

    Args:
        value: of the measure, and `error` its sampling error: how far chance alone moves the realised one.
            NaN with the method `NONE`.
        domain_auc: how well the new rows are told from the reference; 0.5 is not at all.
        effective_rows: of the reference, by how much they are like the new ones.
    """

    method: Method
    reason: str
    value: float
    error: float
    domain_auc: float
    effective_rows: float


class Expecting(Protocol):
    """Knows a version's reference."""

    @property
    def measure(self) -> Measure: ...

    def expect(self, rows: Rows) -> Expected: ...
