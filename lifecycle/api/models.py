"""`/v1/models`: what is registered. Only reads."""

from fastapi import APIRouter

from lifecycle.api.desk import AtDesk, Caller
from lifecycle.api.schemas import ModelOut, ModelsOut, PolicyOut

router = APIRouter(prefix="/v1/models", tags=["models"])


@router.get("")
async def list_models(desk: AtDesk, caller: Caller) -> ModelsOut:
    """All models that the caller may see, by name."""
    seen = (model for model in desk.models.list() if caller.covers(model.name))
    return ModelsOut(models=[ModelOut.of(model, len(desk.store.versions(model.name))) for model in seen])


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
