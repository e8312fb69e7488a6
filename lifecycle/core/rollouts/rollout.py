"""Rollouts: what is known of one, and the one next action for it.

Pure: decides from a snapshot and never acts. `effect` says what an action changes.
"""

import math
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field, fields
from enum import StrEnum
from itertools import pairwise
from typing import Any

from gateway.core.report import WorkerReport
from lifecycle.core.analysis.disagreement import asks, question
from lifecycle.core.analysis.evidence import Evidence
from lifecycle.core.analysis.guards import counted
from lifecycle.core.rollouts.plan import AtDeadline, Plan
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


MAKE_ROOM = (
    "make some (`headrace model memory OTHER --by-demand`; or `memory_budget_mb` of `[gateway.serving]`, "
    "`cpus` and `gpus` of `[gateway.dedicated]`, with `headrace upgrade`)"
)


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


@dataclass(frozen=True, slots=True)
class Snapshot:
    """A rollout and what the workers say of it, at one moment.

    Args:
        confirmed: every live worker (and at least one) applied the split and holds the version.
        failed: workers that applied the split and found that the version does not load.
        no_room: why a worker that applied the split has no room for the version; empty if all have.
        frozen: nothing that changes traffic may begin now, but for going back.
    """

    rollout: Rollout
    now: float
    confirmed: bool
    failed: tuple[str, ...] = ()
    no_room: str = ""
    frozen: bool = False

    @classmethod
    def of(
        cls, rollout: Rollout, now: float, workers: Iterable[WorkerReport], *, frozen: bool = False
    ) -> "Snapshot":
        reports = tuple(workers)
        key = (rollout.model, rollout.version)
        applied = [report for report in reports if report.generation >= rollout.generation > 0]
        failed = tuple(report.worker for report in applied if key in report.failed.keys() - report.no_room)
        full = next((report.failed[key] for report in applied if key in report.no_room), "")
        confirmed = 0 < len(reports) == sum(key in report.held for report in applied)
        return cls(rollout, now, confirmed, failed, full, frozen and not rollout.overrides)


def decide(snapshot: Snapshot) -> Action | None:
    """The next action, or None to hold. The same snapshot always gives the same answer.

    Only a FAIL, a version that does not load, or the deadline roll back. INCONCLUSIVE and ERROR hold, and so
    does a version that finds no room before its first step, or whose answers are too far from the champion's.
    """
    rollout, now = snapshot.rollout, snapshot.now
    if not rollout.active:
        return None
    if end := _failure(snapshot):
        return end
    if rollout.phase is Phase.BAKE:
        return _baked(snapshot)
    if rollout.paused:
        return None
    if (asked := rollout.asked) and not rollout.promoter:
        return Action(Kind.HOLD, question(asked, rollout.model, rollout.version))
    if rollout.deadline_at is not None and now >= rollout.deadline_at:
        last = Kind.HOLD if rollout.plan.at_deadline is AtDeadline.HOLD else Kind.ROLL_BACK
        return Action(last, f"not promoted by its deadline; {_waiting(rollout)}")
    if snapshot.no_room:
        return Action(Kind.HOLD, f"{_no_room(snapshot)}, then `headrace rollout resume {rollout.model}`")
    if rollout.generation == 0:
        return Action(Kind.LOAD, f"version {rollout.version} is to be loaded by every worker")
    if rollout.pending is not None or snapshot.frozen:
        return None
    if rollout.promoter:
        return Action(Kind.PROMOTE, f"promoted by {rollout.promoter}")
    if rollout.phase is Phase.LOADING:
        return _enter(rollout, 0, "every worker has loaded the version")
    if not _cleared(rollout, now):
        return None
    if rollout.step + 1 < len(rollout.plan.steps):
        return _enter(rollout, rollout.step + 1, "the step's guards pass")
    return None if rollout.plan.manual else Action(Kind.PROMOTE, "the last step's guards pass")


def _failure(snapshot: Snapshot) -> Action | None:
    rollout = snapshot.rollout
    if snapshot.failed:
        reason = f"{len(snapshot.failed)} worker(s) could not load version {rollout.version}"
        return Action(Kind.ROLL_BACK, reason, rejects=True)
    if snapshot.no_room and rollout.phase is not Phase.LOADING:
        return Action(Kind.ROLL_BACK, f"{_no_room(snapshot)}, and start anew")
    failed = [f"{each.name}: {each.reason}" for each in rollout.findings if each.verdict is Verdict.FAIL]
    return Action(Kind.ROLL_BACK, "; ".join(failed), rejects=True) if failed else None


def _no_room(snapshot: Snapshot) -> str:
    return f"no room: {snapshot.no_room}; {MAKE_ROOM}"


def _baked(snapshot: Snapshot) -> Action | None:
    rollout = snapshot.rollout
    if rollout.pending is not None or rollout.paused:
        return None
    if snapshot.now < rollout.step_started_at + rollout.plan.bake_seconds:
        return None
    return Action(Kind.FINISH, "the bake time is over")


def _enter(rollout: Rollout, index: int, reason: str) -> Action:
    step = rollout.plan.steps[index]
    kind = Kind.SHADOW if step.shadow else Kind.SET_WEIGHT
    return Action(kind, reason, step=index, weight=step.weight)


def _cleared(rollout: Rollout, now: float) -> bool:
    step = rollout.plan.steps[rollout.step]
    if now < rollout.step_started_at + step.min_seconds or rollout.step_requests() < step.min_requests:
        return False
    return combine(counted(rollout.findings, shadow=step.shadow)) is Verdict.PASS


def _waiting(rollout: Rollout) -> str:
    open_ones = [f.name for f in rollout.findings if f.verdict is not Verdict.PASS]
    return f"still open: {', '.join(open_ones)}" if open_ones else f"it was in phase {rollout.phase}"
