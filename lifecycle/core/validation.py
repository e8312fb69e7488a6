"""The gates a version must pass before it may serve. Pure: it judges what a sandbox measured.

Must never open an artifact: everything known about one arrives here as an `Inspection`.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from math import isfinite

import numpy as np

from gateway.core.signature import Signature, TensorSpec
from gateway.core.types import FLOAT_KINDS, Array
from lifecycle.core.score import score
from lifecycle.core.verdict import Finding, Verdict

GATES = ("structure", "load", "warm_up", "finite_outputs", "signature", "latency", "accuracy")
"""In the order they are judged."""

ACCURACY_MARGIN = 0.02
"""How much accuracy (or explained variance) a version may lack against the champion."""


@dataclass(frozen=True, slots=True)
class Limits:
    """What an artifact may cost. `latency_budget_ms` is for one warm row; None means no budget.

    `memory_mb` bounds the address space of the process that loads it, beyond four times the artifact's
    size; `wall_seconds` bounds the life of that process. `max_depth` is of graphs within graphs.
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
        findings: the gates judged inside: `structure`, `load`, `warm_up`, and `finite_outputs` if the
            reference rows could not be run. The last is a FAIL where the artifact is at fault, an ERROR
            where the inspection itself broke.
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


def stopped(findings: tuple[Finding, ...]) -> Finding | None:
    """The first finding that keeps a version from serving. Too little data to judge does not."""
    return next((f for f in findings if f.verdict in (Verdict.FAIL, Verdict.ERROR)), None)


def judge(
    candidate: Inspection,
    champion: Signature | None,
    limits: Limits,
    champion_on_same_rows: Inspection | None = None,
) -> tuple[Finding, ...]:
    """All gates over a candidate, in the order of `GATES`; only those inside if one of them stops it.

    Args:
        champion: the signature that callers rely on; None for a model's first version.
        champion_on_same_rows: the champion, inspected with the candidate's reference rows.
    """
    if stopped(candidate.findings) or candidate.signature is None:
        return candidate.findings
    judged = (
        finite_outputs(candidate),
        compatible(candidate.signature, champion),
        latency(candidate, limits.latency_budget_ms),
        accuracy(candidate, champion_on_same_rows),
    )
    return candidate.findings + judged


def finite_outputs(inspection: Inspection) -> Finding:
    """Every float that the version answers to the reference rows is a number."""
    if not inspection.outputs:
        return Finding("finite_outputs", Verdict.INCONCLUSIVE, "there are no reference rows to run")
    rows = len(next(iter(inspection.inputs.values())))
    for name, array in inspection.outputs.items():
        if array.dtype.kind not in FLOAT_KINDS:
            continue
        finite = np.isfinite(np.asarray(array, np.float64)).reshape(len(array), -1).all(axis=1)
        bad = int(len(array) - finite.sum())
        if bad:
            reason = f"output {name!r} holds NaN or infinity in {bad} of {rows} reference rows"
            return Finding("finite_outputs", Verdict.FAIL, reason, {"rows": rows, "bad_rows": bad})
    return Finding("finite_outputs", Verdict.PASS, f"all outputs of {rows} rows are finite", {"rows": rows})


def compatible(candidate: Signature, champion: Signature | None) -> Finding:
    """Whoever calls the champion can call the candidate: same tensors, shapes at least as wide."""
    if champion is None:
        return Finding("signature", Verdict.PASS, "the model's first version sets the signature")
    # A caller's input must fit the candidate; the candidate's output must fit what callers expect.
    fault = _mismatch("input", candidate.inputs, champion.inputs, widens=True) or _mismatch(
        "output", candidate.outputs, champion.outputs, widens=False
    )
    if fault:
        return Finding("signature", Verdict.FAIL, f"{fault}; callers of the champion would break")
    return Finding("signature", Verdict.PASS, "inputs and outputs match the champion's")


def _mismatch(
    side: str, candidate: tuple[TensorSpec, ...], champion: tuple[TensorSpec, ...], *, widens: bool
) -> str:
    mine, theirs = ({spec.name: spec for spec in specs} for specs in (candidate, champion))
    if missing := sorted(theirs.keys() - mine.keys()):
        return f"{side} {missing[0]!r} of the champion is missing"
    if extra := sorted(mine.keys() - theirs.keys()):
        return f"{side} {extra[0]!r} is not one of the champion's"
    for name, spec in mine.items():
        other = theirs[name]
        if spec.datatype != other.datatype:
            return f"{side} {name!r} is {spec.datatype}, the champion's is {other.datatype}"
        wide, narrow = (spec, other) if widens else (other, spec)
        if not wide.admits(narrow.shape):
            return f"{side} {name!r} has shape {list(spec.shape)}, the champion's has {list(other.shape)}"
    return ""


def latency(inspection: Inspection, budget_ms: float | None) -> Finding:
    numbers = {"latency_ms": inspection.latency_ms, "memory_mb": inspection.memory_mb}
    took = f"one row takes {inspection.latency_ms:.3g} ms"
    if budget_ms is None:
        return Finding("latency", Verdict.PASS, f"{took}; there is no budget", numbers)
    numbers["budget_ms"] = budget_ms
    if inspection.latency_ms > budget_ms:
        return Finding("latency", Verdict.FAIL, f"{took}; the budget is {budget_ms:g} ms", numbers)
    return Finding("latency", Verdict.PASS, f"{took}, within the budget of {budget_ms:g} ms", numbers)


def accuracy(candidate: Inspection, champion: Inspection | None) -> Finding:
    """Not worse than the champion by more than the margin, on the candidate's labelled rows."""
    if candidate.labels is None:
        return Finding("accuracy", Verdict.INCONCLUSIVE, "the reference rows carry no labels")
    own = score(candidate.outputs, candidate.labels)
    if own is None or not isfinite(own.value):
        return Finding("accuracy", Verdict.INCONCLUSIVE, "no output can be compared with the labels")
    rows = len(candidate.labels)
    numbers = {"rows": float(rows), "candidate": own.value}
    words = f"{own.measure} is {own.value:.4f} on {rows} rows"
    theirs = score(champion.outputs, candidate.labels) if champion is not None else None
    if theirs is None:
        return Finding("accuracy", Verdict.PASS, f"{words}; there is no champion to compare with", numbers)
    numbers |= {"champion": theirs.value, "margin": ACCURACY_MARGIN}
    words += f", the champion's is {theirs.value:.4f}"
    if own.value < theirs.value - ACCURACY_MARGIN:
        return Finding("accuracy", Verdict.FAIL, f"{words}; it may lack {ACCURACY_MARGIN:g}", numbers)
    return Finding("accuracy", Verdict.PASS, words, numbers)
