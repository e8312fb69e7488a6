"""What a disposable process may cost, and what it saw of an artifact. Values only."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from gateway.core.signature import Signature
from gateway.core.types import Array
from lifecycle.core.verdict import Finding

REFERENCE, GOLDEN, NEWEST, HOLDOUT = "reference", "golden", "newest", "holdout"
"""Names of row sets: a version's own rows, rows with the answers they must have, the newest labelled
predictions of the model, and the rows that its versions have been judged on from the first."""


@dataclass(frozen=True, slots=True)
class Limits:
    """What an artifact may cost while it is inspected.

    `memory_mb` bounds the address space of the process, beyond four times the size of what it loads;
    `wall_seconds` bounds its life. `max_depth` is of graphs within graphs.
    """

    memory_mb: int = 2048
    cpu_seconds: int = 60
    wall_seconds: float = 60.0
    max_bytes: int = 1 << 30
    max_nodes: int = 200_000
    max_depth: int = 16
    max_rows: int = 10_000
    max_result_bytes: int = 256 << 20


@dataclass(frozen=True, slots=True)
class Answers:
    """A set of rows and what was answered to it, by tensor, rows first.

    Args:
        inputs: of the reference rows only; empty for other sets.
        outputs: the version's answers; `beside` the champion's, empty without one.
        labels: the truth, one per row; None if there is none.
        expected: what golden rows must be answered; empty for other sets.
        slices: groups of rows by the name of what they are grouped by, [rows] of text.
    """

    inputs: Mapping[str, Array] = field(default_factory=dict)
    outputs: Mapping[str, Array] = field(default_factory=dict)
    beside: Mapping[str, Array] = field(default_factory=dict)
    labels: Array | None = None
    expected: Mapping[str, Array] = field(default_factory=dict)
    slices: Mapping[str, Array] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Probe:
    """One hostile row, run next to a plain one where the model takes several.

    Args:
        answered: the version answers it; else it refuses the row with an error.
        kept: the plain row got the answer that it gets alone.
        finite: the answer holds neither NaN nor infinity.
    """

    name: str
    answered: bool
    kept: bool
    finite: bool


@dataclass(frozen=True, slots=True)
class Cost:
    """Median milliseconds of a warm call on one row, and the memory that the version takes."""

    latency_ms: float
    memory_mb: float


@dataclass(frozen=True, slots=True)
class JoinedRows:
    """Answers to the same rows, one by one and all at once; both empty if the version takes one row only."""

    single: Mapping[str, Array] = field(default_factory=dict)
    together: Mapping[str, Array] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Inspection:
    """What a disposable process saw of an artifact, and of the champion beside it.

    Args:
        signature: None if the artifact did not get as far as loading.
        findings: the gates judged inside. The last is a FAIL where the artifact is at fault, an ERROR where
            the inspection itself broke; what follows is empty then.
        sets: answers by row set.
    """

    signature: Signature | None
    findings: tuple[Finding, ...]
    cost: Cost | None = None
    beside: Cost | None = None
    sets: Mapping[str, Answers] = field(default_factory=dict)
    probes: tuple[Probe, ...] = ()
    beside_probes: tuple[Probe, ...] = ()
    batching: JoinedRows = JoinedRows()
