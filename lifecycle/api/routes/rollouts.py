"""`/v1/models/{model}/rollouts`: starting rollouts, looking at them, and stepping in."""

import asyncio
from typing import Annotated, Any

from fastapi import APIRouter, Query

from lifecycle.api.desk import Actor, AtDesk, Desk, Override
from lifecycle.api.preconditions import IfRevision
from lifecycle.api.schemas.requests import RolloutIn
from lifecycle.api.schemas.rollouts import ForecastOut, RolloutOut, RolloutsOut
from lifecycle.commands.lookup import find_number
from lifecycle.core.rollouts.forecast import forecast
from lifecycle.core.rollouts.plan import Plan, preset
from lifecycle.core.rollouts.rollout import Rollout
from lifecycle.errors import LifecycleCode, LifecycleError

LONGEST_NAME = 100
MOST_STEPS = 100

router = APIRouter(prefix="/v1/models/{model}/rollouts", tags=["rollouts"])


@router.get("")
async def list_rollouts(
    model: str, desk: AtDesk, limit: Annotated[int, Query(ge=1, le=1000)] = 100
) -> RolloutsOut:
    """A model's rollouts, newest first."""
    weights = dict(desk.traffic.show(model).weights)  # NOT_FOUND rather than an empty list
    found = desk.store.rollouts(model)[:limit]
    return RolloutsOut(rollouts=[_shown(desk, one, weights) for one in found])


@router.post("", status_code=201)
async def start(
    model: str,
    wanted: RolloutIn,
    desk: AtDesk,
    actor: Actor,
    override: Override,
    if_revision: IfRevision,
) -> RolloutOut:
    """Begin to bring a version into traffic, step by step."""
    plan = read_plan(desk, wanted.plan)
    number = find_number(desk.store, model, str(wanted.version))
    started = desk.rollouts.start(model, number, plan, actor, if_revision=if_revision, override=override)
    return shown(desk, started)


@router.post("/forecast")
async def foresee(model: str, wanted: RolloutIn, desk: AtDesk, actor: Actor) -> ForecastOut:
    """What starting this rollout would lead to with the traffic of now. Changes nothing."""
    plan = read_plan(desk, wanted.plan)
    number = find_number(desk.store, model, str(wanted.version))
    # Asked here and not in the thread: the control loop goes on adding to what it has seen.
    champion, requests_per_s = desk.champion_now(desk.rollouts.draft(model, number, plan, actor))
    told = await asyncio.to_thread(forecast, plan, champion, requests_per_s)
    return ForecastOut.model_validate(told.as_json())


@router.get("/current")
async def show_rollout(model: str, desk: AtDesk) -> RolloutOut:
    """The active rollout, or else the last one."""
    return shown(desk, desk.rollouts.show(model))


@router.post("/current/pause")
async def pause(model: str, desk: AtDesk, actor: Actor, if_revision: IfRevision) -> RolloutOut:
    """Hold the present split. A failed guard still rolls back."""
    return shown(desk, desk.rollouts.pause(model, actor, if_revision=if_revision))


@router.post("/current/resume")
async def resume(
    model: str, desk: AtDesk, actor: Actor, override: Override, if_revision: IfRevision
) -> RolloutOut:
    """Go on."""
    return shown(desk, desk.rollouts.resume(model, actor, if_revision=if_revision, override=override))


@router.post("/current/promote")
async def promote(
    model: str, desk: AtDesk, actor: Actor, override: Override, if_revision: IfRevision
) -> RolloutOut:
    """Give the version all traffic, whatever the plan still asks for."""
    promoted = desk.rollouts.promote(model, actor, if_revision=if_revision, override=override)
    return shown(desk, promoted)


@router.post("/current/abort")
async def abort(model: str, desk: AtDesk, actor: Actor, if_revision: IfRevision) -> RolloutOut:
    """Give all traffic back to the champion."""
    return shown(desk, desk.rollouts.abort(model, actor, if_revision=if_revision))


def read_plan(desk: Desk, given: str | dict[str, Any]) -> Plan:
    """A plan by preset name, as JSON, or the default for an empty name."""
    if not isinstance(given, dict):
        return preset(given or desk.default_plan)
    plan = Plan.from_json(given)
    if not (plan.name.isprintable() and 0 < len(plan.name) <= LONGEST_NAME):
        message = f"a plan's name has 1 to {LONGEST_NAME} characters that can be printed"
        raise LifecycleError(LifecycleCode.INVALID, message)
    if len(plan.steps) > MOST_STEPS:
        raise LifecycleError(LifecycleCode.INVALID, f"a plan has {MOST_STEPS} steps at most")
    return plan


def shown(desk: Desk, rollout: Rollout) -> RolloutOut:
    return _shown(desk, rollout, dict(desk.traffic.show(rollout.model).weights))


def _shown(desk: Desk, rollout: Rollout, weights: dict[int, float]) -> RolloutOut:
    return RolloutOut.of(rollout, weights.get(rollout.version, 0.0), desk.calendar.holds(rollout))
