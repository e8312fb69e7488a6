"""Models and their policies as JSON on their way out."""

from typing import Self

from pydantic import BaseModel

from gateway.core.keys import KeyRole
from gateway.core.placement import Placement
from lifecycle.core.alias import aliases
from lifecycle.core.version import Model


class ModelOut(BaseModel):
    """`versions` counts them; `held` stay in memory for a rollout, if `resident` all that serve do.

    `aliases` include `champion` and `canary`. Limits are per worker, 0 for none; `cache_mb` 0 for no cache.
    Without a `holdout_digest` no rows are frozen.
    """

    name: str
    revision: int
    created_at: float
    champion: int
    previous: int
    weights: dict[int, float]
    shadows: list[int]
    held: list[int]
    recipe: str
    aliases: dict[str, int]
    placement: Placement
    resident: bool
    max_concurrency: int
    max_queue: int
    cache_mb: int
    holdout_digest: str
    versions: int

    @classmethod
    def of(cls, model: Model, versions: int) -> Self:
        return cls(
            name=model.name,
            revision=model.revision,
            created_at=model.created_at,
            champion=model.champion,
            previous=model.previous,
            weights=dict(model.weights),
            shadows=list(model.shadows),
            held=list(model.held),
            recipe=model.recipe,
            aliases=aliases(model),
            placement=model.placement,
            resident=model.resident,
            max_concurrency=model.limits.max_concurrency,
            max_queue=model.limits.max_queue,
            cache_mb=model.cache_mb,
            holdout_digest=model.holdout_digest,
            versions=versions,
        )


class PolicyOut(BaseModel):
    """`approvals` are people by least role, none where a policy approves. `frozen` says why and until."""

    model: str
    approvals: dict[KeyRole, int]
    gates: list[str]
    signature: str
    frozen: str


class ModelsOut(BaseModel):
    """A page of models; `total` counts those of all pages."""

    models: list[ModelOut]
    total: int
