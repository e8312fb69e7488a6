"""`/v1/models`: what is registered, and the rows that all versions of a model are judged on."""

import tempfile
from pathlib import Path
from typing import Annotated

from fastapi import APIRouter, File, Query, UploadFile

from lifecycle.api.desk import Actor, AtDesk, Caller
from lifecycle.api.preconditions import IfRevision
from lifecycle.api.routes.versions import keep
from lifecycle.api.schemas.models import ModelOut, ModelsOut, PolicyOut

router = APIRouter(prefix="/v1/models", tags=["models"])


@router.get("")
async def list_models(
    desk: AtDesk,
    caller: Caller,
    search: Annotated[str, Query(max_length=128, description="Part of the name.")] = "",
    after: Annotated[str, Query(max_length=128, description="The name that the last page ended with.")] = "",
    limit: Annotated[int, Query(ge=1, le=10_000)] = 10_000,
) -> ModelsOut:
    """The models that the caller may see, by name, and how many of them match in all."""
    seen = [model for model in desk.models.list() if search in model.name and caller.covers(model.name)]
    counts = desk.store.version_counts()
    page = [model for model in seen if model.name > after][:limit]
    return ModelsOut(
        models=[ModelOut.of(model, counts.get(model.name, 0)) for model in page], total=len(seen)
    )


@router.get("/{model}/policy")
async def show_policy(model: str, desk: AtDesk) -> PolicyOut:
    """What the model's versions must show before they may serve, and what holds its traffic now."""
    desk.models.show(model)
    policy, freeze = desk.models.policy(model), desk.calendar.freeze(model)
    return PolicyOut(
        model=model,
        approvals={role: count for role, count in policy.approvals.items() if count},
        gates=sorted(policy.gates),
        signature="required" if policy.signed else "optional",
        frozen=desk.calendar.says(freeze) if freeze else "",
    )


@router.get("/{model}")
async def show_model(model: str, desk: AtDesk) -> ModelOut:
    """One model and how its traffic is shared."""
    found, versions = desk.models.show(model)
    return ModelOut.of(found, len(versions))


@router.put("/{model}/holdout")
async def freeze_holdout(
    model: str,
    desk: AtDesk,
    actor: Actor,
    if_revision: IfRevision,
    rows: Annotated[UploadFile, File(description="Parquet rows with their labels.")],
) -> ModelOut:
    """Judge all versions on these rows from now on. Nothing else ever replaces them."""
    with tempfile.TemporaryDirectory(prefix="headrace-upload-") as folder:
        path = await keep(rows, Path(folder) / "rows")
        changed = await desk.validation.freeze(model, path, actor, if_revision=if_revision)
    return ModelOut.of(changed, len(desk.store.versions(model)))
