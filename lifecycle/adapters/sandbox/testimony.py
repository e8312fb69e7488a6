"""What the frames of an inspection add up to. They come of a process that ran an untrusted artifact.

Nothing they say is believed beyond what it is: words are cut short, names checked, numbers numbers.
"""

import functools
import logging
from collections import defaultdict
from dataclasses import dataclass, field, replace
from typing import Any

from gateway.core.signature import Signature
from gateway.core.types import Array
from lifecycle.adapters.sandbox import frames
from lifecycle.core.inspection import (
    GOLDEN,
    HOLDOUT,
    NEWEST,
    REFERENCE,
    Answers,
    Cost,
    Inspection,
    JoinedRows,
    Probe,
)
from lifecycle.core.validation import INSIDE
from lifecycle.core.verdict import Finding, Verdict

SETS = (REFERENCE, GOLDEN, NEWEST, HOLDOUT)
MOST_WORDS = 500

log = logging.getLogger(__name__)


@dataclass(slots=True)
class _Heard:
    signature: Signature | None = None
    gate: str = INSIDE[0]
    marks: set[str] = field(default_factory=set)
    findings: list[Finding] = field(default_factory=list)
    costs: dict[str, Cost] = field(default_factory=dict)
    probes: dict[str, list[Probe]] = field(default_factory=lambda: defaultdict(list))
    tensors: dict[str, dict[str, Array]] = field(default_factory=lambda: defaultdict(dict))

    def hear(self, frame: dict[str, Any]) -> None:
        match frame["kind"]:
            case "ready" if not self.marks:  # said before the artifact was read, so it can be believed
                self.marks.add("ready")
                for lack in frame["lacking"]:
                    _warn(lack)
            case "begin":
                self.gate = _known(frame["gate"])
            case "finding":
                finding = Finding.from_json(frame)
                _known(finding.name)
                self.findings.append(replace(finding, reason=str(finding.reason)[:MOST_WORDS]))
            case "signature":
                self.signature = Signature.from_json(frame["signature"])
            case "probe":
                seen = Probe(
                    str(frame["name"])[:MOST_WORDS],
                    bool(frame["answered"]),
                    bool(frame["kept"]),
                    bool(frame["finite"]),
                )
                self.probes[frame["who"]].append(seen)
            case "cost":
                self.costs[frame["who"]] = Cost(float(frame["latency_ms"]), float(frame["memory_mb"]))
            case "tensor":
                self.tensors[frame["side"]][str(frame["name"])] = frame["array"]
            case "alone" | "done":
                self.marks.add(frame["kind"])

    def answers(self, name: str) -> Answers:
        sides = ("inputs", "outputs", "beside", "labels", "expected", "slices")
        told = {side: self.tensors.get(f"{name}/{side}", {}) for side in sides}
        if len({array.shape[:1] for tensors in told.values() for array in tensors.values()}) != 1:
            raise ValueError("tensors of one set of rows differ in length")
        return Answers(
            told["inputs"],
            told["outputs"],
            told["beside"],
            told["labels"].get("label"),
            told["expected"],
            told["slices"],
        )


def told(said: bytes, why: str) -> Inspection:
    """The inspection. The gate under way when the frames stop is the one that failed.

    Args:
        why: in words, why the process ended early; empty if it did not.
    """
    heard = _Heard()
    try:
        for frame in frames.read(said):
            heard.hear(frame)
        sets = {name: heard.answers(name) for name in SETS if f"{name}/outputs" in heard.tensors}
    except (ValueError, KeyError, TypeError, AttributeError, OverflowError, RecursionError):
        return Inspection(None, (Finding(INSIDE[0], Verdict.FAIL, "the artifact corrupted its inspection"),))
    if "ready" not in heard.marks:
        return broken(f"the inspection did not come to the artifact: {why or 'the process ended early'}")
    findings = heard.findings
    failed = any(finding.verdict is not Verdict.PASS for finding in findings)
    if not failed and "done" not in heard.marks:
        reason, failed = why or "the process ended early", True
        findings = [finding for finding in findings if finding.name != heard.gate]
        if "alone" in heard.marks:
            # The version itself had stood everything.
            findings.append(
                Finding("cost", Verdict.ERROR, f"the comparison with the champion broke: {reason}")
            )
        else:
            findings.append(Finding(heard.gate, Verdict.FAIL, reason))
    if failed:
        return Inspection(heard.signature, tuple(findings))
    return Inspection(
        heard.signature,
        tuple(findings),
        heard.costs.get("own"),
        heard.costs.get("beside"),
        sets,
        tuple(heard.probes["own"]),
        tuple(heard.probes["beside"]),
        JoinedRows(heard.tensors["batching/single"], heard.tensors["batching/together"]),
    )


def broken(reason: str) -> Inspection:
    """An inspection that says nothing of the artifact."""
    return Inspection(None, (Finding(INSIDE[0], Verdict.ERROR, reason),))


def _known(gate: str) -> str:
    if gate not in INSIDE:
        raise ValueError("an unknown gate")
    return gate


@functools.cache
def _warn(lack: str) -> None:
    log.warning("artifacts are inspected in less confinement than there should be: %s", lack)
