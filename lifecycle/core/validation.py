"""The gates a version must pass before it may serve. Pure: it judges what a sandbox measured.

Must never open an artifact: everything known about one arrives here as an `Inspection`.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

from gateway.core.signature import Signature
from gateway.core.types import Array
from lifecycle.core.verdict import Finding, Verdict

GATES = ("structure", "load", "warm_up", "finite_outputs", "signature", "latency", "accuracy")
"""In the order they are judged. A version that fails one is not judged by the later ones."""


@dataclass(frozen=True, slots=True)
class Limits:
    """What an artifact may cost. `latency_budget_ms` is for one warm row; None means no budget.

    `memory_mb` bounds the address space of the process that loads it, `wall_seconds` its whole life.
    """

    memory_mb: int = 2048
    cpu_seconds: int = 60
    wall_seconds: float = 60.0
    max_bytes: int = 1 << 30
    max_nodes: int = 200_000
    max_depth: int = 16
    max_rows: int = 10_000
    max_result_bytes: int = 256 << 20
    latency_budget_ms: float | None = None


@dataclass(frozen=True, slots=True)
class Inspection:
    """What a disposable process saw of an artifact.

    Args:
        signature: None if the artifact did not get as far as loading.
        findings: the gates that were judged inside: `structure`, `load`, `warm_up`; the last one is a
            FAIL where it stopped.
        latency_ms: median time of one warm call on one row.
        memory_mb: peak resident memory of the process.
        inputs, outputs: reference rows and the version's answers to them, by tensor, rows first;
            empty without reference data.
        labels: the reference data's `label` column, one per row; None if it has none.
    """

    signature: Signature | None
    findings: tuple[Finding, ...]
    latency_ms: float = 0.0
    memory_mb: float = 0.0
    inputs: Mapping[str, Array] = field(default_factory=dict)
    outputs: Mapping[str, Array] = field(default_factory=dict)
    labels: Array | None = None

    @property
    def failure(self) -> Finding | None:
        return next((finding for finding in self.findings if finding.verdict is not Verdict.PASS), None)
