"""`/v1/attention`: what a person may want to look at first, of all models that the caller may see."""

from collections.abc import Iterator
from enum import StrEnum

from fastapi import APIRouter
from pydantic import BaseModel

from lifecycle.api.desk import AtDesk, Caller, Desk
from lifecycle.core.rollouts.rollout import Rollout

router = APIRouter(tags=["overview"])


class Matter(StrEnum):
    """In the order in which they are told."""

    ROLLOUT = "rollout"
    ACCURACY = "accuracy"
    ESTIMATE = "estimate"
    DRIFT = "drift"


class MatterOut(BaseModel):
    """A rollout under way or an alarm that stands. `since` is Unix seconds; `says` a sentence for people."""

    model: str
    matter: Matter
    since: float
    says: str


class AttentionOut(BaseModel):
    matters: list[MatterOut]


@router.get("/v1/attention")
async def attention(desk: AtDesk, caller: Caller) -> AttentionOut:
    """Rollouts under way, then alarms that stand, the oldest first."""
    order = list(Matter)
    found = [each for each in _matters(desk) if caller.covers(each.model)]
    return AttentionOut(matters=sorted(found, key=lambda each: (order.index(each.matter), each.since)))


def _matters(desk: Desk) -> Iterator[MatterOut]:
    for rollout in desk.store.rollouts(active=True):
        yield MatterOut(
            model=rollout.model,
            matter=Matter.ROLLOUT,
            since=rollout.started_at,
            says=_progress(rollout, desk.calendar.holds(rollout)),
        )
    for model, signals in desk.monitor.alarms().items():
        if signals.fall is not None:
            since, fell = signals.fall.since, str(signals.fall)
            yield MatterOut(model=model, matter=Matter.ACCURACY, since=since, says=fell)
        if signals.drift_since is not None:
            drifted = "its traffic differs from its reference data"
            yield MatterOut(model=model, matter=Matter.DRIFT, since=signals.drift_since, says=drifted)
    for model, since in desk.estimates.fallen().items():
        told = "its answers should be clearly worse than they were, as far as can be told without labels"
        yield MatterOut(model=model, matter=Matter.ESTIMATE, since=since, says=told)


def _progress(rollout: Rollout, frozen: str) -> str:
    step = f" {rollout.step + 1} of {len(rollout.plan.steps)}" if rollout.step >= 0 else ""
    paused = ", paused" if rollout.paused else ""
    asked = f"; {rollout.asked.reason}" if rollout.asked else ""
    held = f"; {frozen}" if frozen else ""
    return f"version {rollout.version}: {rollout.phase}{step}, {rollout.verdict}{paused}{asked}{held}"
