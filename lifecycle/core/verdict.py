"""What a judgement can say. A verdict is not a boolean: not knowing is an answer of its own."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum


class Verdict(StrEnum):
    PASS = "PASS"
    FAIL = "FAIL"
    INCONCLUSIVE = "INCONCLUSIVE"
    """Too little data. Holds; never passes and never fails anything."""
    ERROR = "ERROR"
    """The measurement itself broke. Holds, and is shown to people."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One judged question: a guard of a rollout, a gate of validation, a drift test.

    `reason` is a sentence for people. `numbers` hold what it rests on, units in their names.
    """

    name: str
    verdict: Verdict
    reason: str
    numbers: Mapping[str, float] = field(default_factory=dict)


def combine(findings: Iterable[Finding]) -> Verdict:
    """FAIL beats ERROR beats INCONCLUSIVE beats PASS; nothing judged is INCONCLUSIVE."""
    seen = {finding.verdict for finding in findings}
    for verdict in (Verdict.FAIL, Verdict.ERROR, Verdict.INCONCLUSIVE, Verdict.PASS):
        if verdict in seen:
            return verdict
    return Verdict.INCONCLUSIVE
