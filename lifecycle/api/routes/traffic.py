"""`/v1/models/{model}/traffic`: who answers, compare-and-set on the model's revision."""

from fastapi import APIRouter, Response

from lifecycle.api.desk import Actor, AtDesk, Override
from lifecycle.api.preconditions import IfRevision, etag
from lifecycle.api.schemas.requests import TrafficIn
from lifecycle.api.schemas.traffic import ChangeOut, LiveTrafficOut
from lifecycle.commands.lookup import find_number
from lifecycle.errors import LifecycleCode, LifecycleError

router = APIRouter(prefix="/v1/models/{model}", tags=["traffic"])


@router.get("/traffic")
async def show_traffic(model: str, desk: AtDesk, response: Response) -> LiveTrafficOut:
    """Weights, shadows, and what the versions did of late. The ETag is the revision, for `If-Match`."""
    found = desk.traffic.show(model)
    response.headers["etag"] = etag(found.revision)
    return LiveTrafficOut.live(found, desk.rates(model))


@router.put("/traffic")
async def set_traffic(
    model: str,
    wanted: TrafficIn,
    desk: AtDesk,
    actor: Actor,
    override: Override,
    if_revision: IfRevision,
    response: Response,
) -> ChangeOut:
    """Share the traffic; answers when every worker follows. Shadows that are not given stay."""
    named = {name: find_number(desk.store, model, str(name)) for name in wanted.weights}
    if len(set(named.values())) < len(named):
        raise LifecycleError(LifecycleCode.INVALID, "a version is named twice")
    shadows = wanted.shadows
    change = await desk.traffic.set(
        model,
        {named[name]: percent for name, percent in wanted.weights.items()},
        None if shadows is None else [find_number(desk.store, model, str(name)) for name in shadows],
        if_revision=if_revision,
        dry_run=wanted.dry_run,
        override=override,
        actor=actor,
    )
    if wanted.dry_run:
        freeze = None if override else desk.calendar.freeze(model)
        return ChangeOut.of_change(change, dry_run=True, frozen=desk.calendar.says(freeze) if freeze else "")
    response.headers["etag"] = etag(change.model.revision)
    return ChangeOut.of_change(change)


@router.post("/rollback")
async def roll_back(
    model: str, desk: AtDesk, actor: Actor, if_revision: IfRevision, response: Response
) -> ChangeOut:
    """End the active rollout, or else return to the champion before this one."""
    change = await desk.traffic.rollback(model, if_revision=if_revision, actor=actor)
    response.headers["etag"] = etag(change.model.revision)
    return ChangeOut.of_change(change)
