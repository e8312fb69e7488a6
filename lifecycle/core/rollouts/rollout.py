"""What is known of one rollout. `decision` says which action is next, and `effect` what an action changes."""

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from enum import StrEnum
from itertools import pairwise
from typing import Any

from lifecycle.core.analysis.disagreement import asks
from lifecycle.core.analysis.evidence import Evidence
from lifecycle.core.rollouts.plan import Plan
from lifecycle.core.verdict import Finding, Verdict, combine


class Phase(StrEnum):
    """How far a rollout has come."""

    LOADING = "loading"
    """Workers load and warm the version; it has no traffic."""
    SHADOW = "shadow"
    STEP = "step"
    BAKE = "bake"
    """The version has all traffic; the old champion stays in memory."""
    PROMOTED = "promoted"
    ROLLED_BACK = "rolled_back"
    ABORTED = "aborted"


ENDS = frozenset({Phase.PROMOTED, Phase.ROLLED_BACK, Phase.ABORTED})


ALL = 0.999
"""Share of the segment of the bake time. It has no baseline, so only absolute bounds are judged on it."""


class Kind(StrEnum):
    """What an action does."""

    LOAD = "load"
    SHADOW = "shadow"
    SET_WEIGHT = "set_weight"
    PROMOTE = "promote"
    FINISH = "finish"
    HOLD = "hold"
    """Changes nothing but that a person has to say how it goes on."""
    ROLL_BACK = "roll_back"
    ABORT = "abort"


@dataclass(frozen=True, slots=True)
class Action:
    """What is to be done. `step` and `weight` belong to SHADOW and SET_WEIGHT.

    `rejects` is set when the version itself was found bad, rather than time or a person ending it.
    """

    kind: Kind
    reason: str
    step: int = 0
    weight: float = 0.0
    rejects: bool = False

    def as_json(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> "Action":
        return cls(**{**data, "kind": Kind(data["kind"])})


@dataclass(frozen=True, slots=True)
class Rollout:
    """One version on its way to all traffic, or back. Times are Unix seconds.

    Args:
        champion, previous: the model's, before the rollout.
        step: index of the plan's step in force; -1 before the first.
        pending: the last action, until every worker has confirmed it.
        generation: tables from this generation on carry the present split; 0 before the first action.
        step_started_at: when every worker had confirmed the present split.
        paused_at: set while a person holds the rollout.
        promoter: who asked for an immediate promotion; empty if nobody did.
        findings: the guards' present judgement of `evidence`.
        canary_first_at: when the version first answered live traffic.
        splits_at: when every worker had confirmed each split of live traffic, in their order.
        decided_at: when it was promoted or rolled back.
        overrides: somebody may and did let it go on through freezes.
    """

    id: str
    model: str
    version: int
    champion: int
    plan: Plan
    started_at: float
    started_by: str
    previous: int = 0
    phase: Phase = Phase.LOADING
    step: int = -1
    pending: Action | None = None
    generation: int = 0
    step_started_at: float = 0.0
    deadline_at: float | None = None
    paused_at: float | None = None
    promoter: str = ""
    evidence: Evidence = field(default_factory=Evidence)
    findings: tuple[Finding, ...] = ()
    reason: str = ""
    canary_first_at: float | None = None
    splits_at: tuple[float, ...] = ()
    decided_at: float | None = None
    overrides: bool = False

    @property
    def active(self) -> bool:
        return self.phase not in ENDS

    @property
    def paused(self) -> bool:
        return self.paused_at is not None

    @property
    def verdict(self) -> Verdict:
        return combine(self.findings)

    @property
    def asked(self) -> Finding | None:
        """What holds it until somebody says whether it goes on."""
        open_now = self.phase in (Phase.SHADOW, Phase.STEP) and self.plan.guards.disagreement_hold < 1
        return next(filter(asks, self.findings), None) if open_now else None

    @property
    def split(self) -> tuple[float, bool]:
        """The present evidence segment's share and whether it is paired."""
        if self.phase is Phase.BAKE:
            return ALL, False
        step = self.plan.steps[max(self.step, 0)]
        return (0.5, True) if step.shadow else (step.weight / 100, False)

    @property
    def live_steps(self) -> tuple[tuple[float, float], ...]:
        """From when until when each split of live traffic held; later there is nothing to compare with."""
        ends = math.inf if self.decided_at is None else self.decided_at
        return tuple(pairwise((*self.splits_at, ends)))

    def step_requests(self) -> int:
        """The version's requests under the present split."""
        return sum(s.canary.requests for s in self.evidence.segments if (s.share, s.paired) == self.split)

    def as_json(self) -> dict[str, Any]:
        plain = {name: getattr(self, name) for name in _PLAIN}
        return plain | {
            "phase": str(self.phase),
            "plan": self.plan.as_json(),
            "splits_at": list(self.splits_at),
            "pending": self.pending.as_json() if self.pending else None,
            "evidence": self.evidence.as_json(),
            "findings": [finding.as_json() for finding in self.findings],
        }

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> "Rollout":
        return cls(
            **{name: data[name] for name in _PLAIN if name in data},
            phase=Phase(data["phase"]),
            plan=Plan.from_json(data["plan"]),
            splits_at=tuple(data.get("splits_at", ())),
            pending=Action.from_json(data["pending"]) if data["pending"] else None,
            evidence=Evidence.from_json(data["evidence"]),
            findings=tuple(map(Finding.from_json, data["findings"])),
        )


_CONVERTED = {"phase", "plan", "splits_at", "pending", "evidence", "findings"}
_PLAIN = tuple(item.name for item in fields(Rollout) if item.name not in _CONVERTED)
"""Fields that are the same in JSON."""
