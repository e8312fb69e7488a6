"""The one next action for a rollout.

Pure: decides from a snapshot and never acts. `effect` says what an action changes.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from gateway.core.report import WorkerReport
from lifecycle.core.analysis.disagreement import question
from lifecycle.core.analysis.guards import counted
from lifecycle.core.rollouts.plan import AtDeadline
from lifecycle.core.rollouts.rollout import Action, Kind, Phase, Rollout
from lifecycle.core.verdict import Verdict, combine

MAKE_ROOM = (
    "make some (`headrace model memory OTHER --by-demand`; or `memory_budget_mb` of `[gateway.serving]`, "
    "`cpus` and `gpus` of `[gateway.dedicated]`, with `headrace upgrade`)"
)


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
    if rollout.phase not in (Phase.SHADOW, Phase.STEP):
        return f"it was in phase {rollout.phase}"
    step = rollout.plan.steps[rollout.step]
    asked = counted(rollout.findings, shadow=step.shadow)
    few = ["min_requests"] if rollout.step_requests() < step.min_requests else []
    open_ones = [*few, *(each.name for each in asked if each.verdict is not Verdict.PASS)]
    return f"still open: {', '.join(open_ones)}" if open_ones else f"it was in phase {rollout.phase}"
