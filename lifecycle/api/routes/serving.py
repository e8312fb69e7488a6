"""How a model is served: what it may take of a worker, and where its versions run."""

from typing import Any

from fastapi import APIRouter, Response
from pydantic import BaseModel

from gateway.core.limits import ModelLimits
from gateway.core.placement import Placement
from lifecycle.api.desk import Actor, AtDesk
from lifecycle.api.preconditions import IfRevision, etag
from lifecycle.api.schemas.requests import CacheIn, LimitsIn, MemoryIn, PlacementIn
from lifecycle.commands.traffic import Change
from lifecycle.errors import LifecycleCode, LifecycleError

router = APIRouter(prefix="/v1/models/{model}", tags=["serving"])


class ServingOut(BaseModel):
    """What every change here tells. `confirmed`: every worker keeps to it."""

    model: str
    revision: int
    confirmed: bool


class LimitsOut(ServingOut):
    """What a model may take of each worker; 0 is no limit."""

    max_concurrency: int
    max_queue: int


class MemoryOut(ServingOut):
    """Whether what a model serves stays in memory."""

    resident: bool


class CacheOut(ServingOut):
    """MiB of answers that each worker keeps."""

    max_mb: int


class PlacementOut(ServingOut):
    """Where a model's versions run; `seconds` passed until all of them did."""

    placement: Placement
    seconds: float


@router.put("/limits")
async def set_limits(
    model: str, wanted: LimitsIn, desk: AtDesk, actor: Actor, if_revision: IfRevision, response: Response
) -> LimitsOut:
    """Bound what the model takes of each worker; what is left out has no limit."""
    try:
        limits = ModelLimits(wanted.max_concurrency, wanted.max_queue)
    except ValueError as error:
        raise LifecycleError(LifecycleCode.INVALID, str(error)) from None
    change = await desk.traffic.limit(model, limits, if_revision=if_revision, actor=actor)
    return LimitsOut(**_told(change, response), **limits.as_json())


@router.put("/memory")
async def set_memory(
    model: str, wanted: MemoryIn, desk: AtDesk, actor: Actor, if_revision: IfRevision, response: Response
) -> MemoryOut:
    """Whether what the model serves stays in every worker's memory, or is loaded by demand."""
    change = await desk.traffic.keep(model, wanted.resident, if_revision=if_revision, actor=actor)
    return MemoryOut(**_told(change, response), resident=change.model.resident)


@router.put("/cache")
async def set_cache(
    model: str, wanted: CacheIn, desk: AtDesk, actor: Actor, if_revision: IfRevision, response: Response
) -> CacheOut:
    """Answer requests that come again, the same to the bit, without running the model; 0: never."""
    change = await desk.traffic.cache(model, wanted.max_mb, if_revision=if_revision, actor=actor)
    return CacheOut(**_told(change, response), max_mb=wanted.max_mb)


@router.put("/placement")
async def set_placement(
    model: str, wanted: PlacementIn, desk: AtDesk, actor: Actor, if_revision: IfRevision, response: Response
) -> PlacementOut:
    """Say where the model's versions run; answers when they do."""
    change = await desk.traffic.place(model, wanted.placement, if_revision=if_revision, actor=actor)
    seconds = change.load_seconds + change.confirm_seconds
    return PlacementOut(**_told(change, response), placement=wanted.placement, seconds=seconds)


def _told(change: Change, response: Response) -> dict[str, Any]:
    response.headers["etag"] = etag(change.model.revision)
    return {"model": change.model.name, "revision": change.model.revision, "confirmed": change.confirmed}
