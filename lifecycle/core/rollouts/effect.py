"""What an action of a rollout changes: the rollout itself, its model, and the stages of two versions.

Effects name the state to reach, never a difference, so repeating one changes nothing more.
"""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from lifecycle.core import traffic
from lifecycle.core.rollouts.decision import Snapshot
from lifecycle.core.rollouts.plan import vouched
from lifecycle.core.rollouts.rollout import Action, Kind, Phase, Rollout
from lifecycle.core.stages import Event
from lifecycle.core.version import Model

_PHASES: Mapping[Kind, Phase] = {
    Kind.LOAD: Phase.LOADING,
    Kind.SHADOW: Phase.SHADOW,
    Kind.SET_WEIGHT: Phase.STEP,
    Kind.PROMOTE: Phase.BAKE,
    Kind.FINISH: Phase.PROMOTED,
    Kind.ROLL_BACK: Phase.ROLLED_BACK,
    Kind.ABORT: Phase.ABORTED,
}


def effect(action: Action, rollout: Rollout, model: Model) -> Model:
    """The model after an action: the next revision, ready to be published."""
    match action.kind:
        case Kind.LOAD:
            return traffic.holding(model, (rollout.champion, rollout.version))
        case Kind.SHADOW:
            return traffic.shadowed(model, rollout.version)
        case Kind.SET_WEIGHT:
            return traffic.canaried(model, rollout.version, action.weight)
        case Kind.PROMOTE:
            return traffic.promoted(model, rollout.version, rollout.champion)
        case Kind.FINISH:
            return traffic.holding(model, ())
        case Kind.HOLD if rollout.phase is Phase.LOADING:
            return traffic.holding(model, ())  # what has no share need not wait in memory for a person
        case Kind.HOLD:
            return replace(model, revision=model.revision + 1)
        case Kind.ROLL_BACK | Kind.ABORT:
            return traffic.restored(model, rollout.champion, rollout.previous, rollout.version)


def begun(action: Action, rollout: Rollout, now: float, generation: int) -> Rollout:
    """The rollout once an action is journalled: its new phase, waiting for the workers' confirmation.

    Args:
        generation: tables from this one on will carry the action's split.
    """
    if action.kind is Kind.HOLD:
        over = rollout.deadline_at is not None and now >= rollout.deadline_at
        deadline_at = None if over else rollout.deadline_at
        held = replace(rollout, paused_at=now, deadline_at=deadline_at, reason=action.reason)
        # Whoever resumes it has it loaded again.
        return replace(held, pending=None, generation=0) if rollout.phase is Phase.LOADING else held
    ended = action.kind in (Kind.FINISH, Kind.ROLL_BACK, Kind.ABORT)
    decided = action.kind is Kind.PROMOTE or (ended and action.kind is not Kind.FINISH)
    return replace(
        rollout,
        phase=_PHASES[action.kind],
        step=action.step if action.kind in (Kind.SHADOW, Kind.SET_WEIGHT) else rollout.step,
        pending=None if ended else action,
        generation=generation,
        step_started_at=now,
        paused_at=None if ended or action.kind is Kind.PROMOTE else rollout.paused_at,
        reason=action.reason,
        decided_at=now if decided else rollout.decided_at,
    )


def resumed(rollout: Rollout, now: float) -> Rollout:
    """The rollout once a person lets it go on: the deadline moves, and what it asked them has its answer."""
    plan = vouched(rollout.plan) if rollout.asked else rollout.plan
    if rollout.paused_at is None or rollout.deadline_at is None:
        return replace(rollout, plan=plan, paused_at=None)
    deadline_at = rollout.deadline_at + max(now - rollout.paused_at, 0.0)
    return replace(rollout, plan=plan, paused_at=None, deadline_at=deadline_at)


def settled(snapshot: Snapshot) -> Rollout:
    """The rollout with its pending action confirmed, if every worker did; the step's time starts now."""
    rollout, now = snapshot.rollout, snapshot.now
    if rollout.pending is None or not snapshot.confirmed:
        return rollout
    live = (now,) if rollout.pending.kind is Kind.SET_WEIGHT else ()
    return replace(rollout, pending=None, step_started_at=now, splits_at=rollout.splits_at + live)


def standing(rollout: Rollout) -> dict[str, Any]:
    """What every ledger record of a rollout tells of where it stands, so that an edit of its row shows."""
    return {
        "phase": str(rollout.phase),
        "step": rollout.step,
        "paused": rollout.paused,
        "promoter": rollout.promoter,
        "overrides": rollout.overrides,
    }


def stages(action: Action, rollout: Rollout) -> Mapping[int, Event]:
    """What an action means for the versions' stages."""
    match action.kind:
        case Kind.PROMOTE:
            return {rollout.version: Event.SERVE, rollout.champion: Event.STAND_DOWN}
        case Kind.ROLL_BACK | Kind.ABORT:
            event = Event.REJECT if action.rejects else Event.STAND_DOWN
            return {rollout.version: event, rollout.champion: Event.SERVE}
        case _:
            return {}
