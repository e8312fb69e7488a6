"""What a judgement can say. A verdict is not a boolean: not knowing is an answer of its own."""

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

LIVE_GUARDS = ("latency", "labels", "feedback.")
"""So begin the guards of a rollout that a shadow says nothing to: nobody waits for its answers, and nothing
comes late for them."""


class Verdict(StrEnum):
    """Only FAIL turns a version back."""

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

    def as_json(self) -> dict[str, Any]:
        """JSON has no NaN and no infinity: such a number becomes null, and NaN again when read."""
        numbers = {name: value if math.isfinite(value) else None for name, value in self.numbers.items()}
        return {"name": self.name, "verdict": str(self.verdict), "reason": self.reason, "numbers": numbers}

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> "Finding":
        numbers = {name: math.nan if v is None else float(v) for name, v in data["numbers"].items()}
        return cls(data["name"], Verdict(data["verdict"]), data["reason"], numbers)


def combine(findings: Iterable[Finding]) -> Verdict:
    """FAIL beats ERROR beats INCONCLUSIVE beats PASS; nothing judged is INCONCLUSIVE."""
    seen = {finding.verdict for finding in findings}
    for verdict in (Verdict.FAIL, Verdict.ERROR, Verdict.INCONCLUSIVE, Verdict.PASS):
        if verdict in seen:
            return verdict
    return Verdict.INCONCLUSIVE
