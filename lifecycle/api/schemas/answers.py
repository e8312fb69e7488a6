"""The admin API's JSON, on its way out, as pydantic models: keys, models, traffic and rollouts."""

import math
from collections.abc import Iterable
from typing import Any, Self

from pydantic import BaseModel

from gateway.core.keys import KeyRole
from gateway.core.placement import Placement
from gateway.core.types import Role
from lifecycle.api.schemas.versions import FindingOut, VersionOut
from lifecycle.commands.traffic import Change
from lifecycle.core.alias import aliases
from lifecycle.core.recent import Rates
from lifecycle.core.rollout import Rollout
from lifecycle.core.verdict import Verdict
from lifecycle.core.version import Model


class KeyOut(BaseModel):
    """A key without its secret or digest. Times are Unix seconds; 0 stands for never.

    `subject` is that of the client certificate that stands for it; empty for a key with a secret.
    """

    name: str
    role: KeyRole
    models: list[str]
    created_at: float
    expires_at: float
    revoked_at: float
    subject: str


class NewKeyOut(KeyOut):
    """A key just made: the only time that its secret is told."""

    secret: str


class KeysOut(BaseModel):
    keys: list[KeyOut]


class RatesOut(BaseModel):
    """What a version did in the last minute or two. Latencies of its answers are in ms; None without any."""

    version: int
    role: Role
    requests_per_s: float
    error_rate: float
    invalid_rate: float
    p50_ms: float | None
    p99_ms: float | None

    @classmethod
    def of(cls, rates: Rates) -> "RatesOut":
        p50, p99 = (None if math.isnan(ms) else ms for ms in (rates.p50_ms, rates.p99_ms))
        return cls(
            version=rates.version,
            role=rates.role,
            requests_per_s=rates.requests_per_s,
            error_rate=rates.error_rate,
            invalid_rate=rates.invalid_rate,
            p50_ms=p50,
            p99_ms=p99,
        )


class TrafficOut(BaseModel):
    """Who answers. `weights` are percent by version; `shadows` get copies."""

    model: str
    revision: int
    champion: int
    weights: dict[int, float]
    shadows: list[int]

    @classmethod
    def of(cls, model: Model) -> "TrafficOut":
        return TrafficOut(
            model=model.name,
            revision=model.revision,
            champion=model.champion,
            weights=dict(model.weights),
            shadows=list(model.shadows),
        )


class LiveTrafficOut(TrafficOut):
    """Who answers, and what they do. `rates` are by version and role, of those that had traffic."""

    rates: list[RatesOut]

    @classmethod
    def live(cls, model: Model, rates: Iterable[Rates]) -> "LiveTrafficOut":
        return cls(**TrafficOut.of(model).model_dump(), rates=[RatesOut.of(each) for each in rates])


class ChangeOut(TrafficOut):
    """The traffic after a change.

    `load_seconds` passed until every worker held what was to get traffic, `confirm_seconds` from the
    switch until every worker had confirmed it.
    """

    confirmed: bool
    dry_run: bool
    load_seconds: float
    confirm_seconds: float

    @classmethod
    def of_change(cls, change: Change, *, dry_run: bool = False) -> Self:
        return cls(
            **TrafficOut.of(change.model).model_dump(),
            confirmed=change.confirmed,
            dry_run=dry_run,
            load_seconds=change.load_seconds,
            confirm_seconds=change.confirm_seconds,
        )


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


class RolloutOut(BaseModel):
    """One version on its way to all traffic, or back. Times are Unix seconds.

    `step` is the index of the plan's step in force, -1 before the first; `step_requests` the version's
    requests in it. `weight` is the version's present share in percent.
    """

    id: str
    model: str
    version: int
    champion: int
    phase: str
    active: bool
    paused: bool
    plan: dict[str, Any]
    step: int
    weight: float
    step_requests: int
    step_started_at: float
    started_at: float
    started_by: str
    deadline_at: float | None
    canary_first_at: float | None
    decided_at: float | None
    verdict: Verdict
    findings: list[FindingOut]
    pending: str
    reason: str

    @classmethod
    def of(cls, rollout: Rollout, weight: float) -> Self:
        return cls(
            id=rollout.id,
            model=rollout.model,
            version=rollout.version,
            champion=rollout.champion,
            phase=rollout.phase.value,
            active=rollout.active,
            paused=rollout.paused,
            plan=rollout.plan.as_json(),
            step=rollout.step,
            weight=weight,
            step_requests=rollout.step_requests(),
            step_started_at=rollout.step_started_at,
            started_at=rollout.started_at,
            started_by=rollout.started_by,
            deadline_at=rollout.deadline_at,
            canary_first_at=rollout.canary_first_at,
            decided_at=rollout.decided_at,
            verdict=rollout.verdict,
            findings=[FindingOut.of(finding) for finding in rollout.findings],
            pending=rollout.pending.kind.value if rollout.pending else "",
            reason=rollout.reason,
        )


class RolloutsOut(BaseModel):
    rollouts: list[RolloutOut]


class StepForecastOut(BaseModel):
    """One step under the traffic of now.

    `weight` is percent, 0 for a shadow. `seconds` is None if its guards would never all pass. `waits_for` is
    what takes that long. `error_rate` and `slower` (a factor on the latency) are the smallest regressions
    that would be rolled back, as likely as not, by the end of the step; None if none would.
    """

    weight: float
    requests_per_s: float
    seconds: float | None
    waits_for: list[str]
    error_rate: float | None
    slower: float | None


class ForecastOut(BaseModel):
    """What a rollout would do for a version that is as good as the champion.

    `requests_per_s` and `error_rate` are the champion's now. `seconds` lead to the promotion; None if it
    would not come to that. `steps` end with the first one that would not.
    """

    plan: dict[str, Any]
    requests_per_s: float
    error_rate: float
    steps: list[StepForecastOut]
    seconds: float | None
    reason: str


class DeploymentOut(BaseModel):
    """What came of a deployment, in `message`; `rollout` is the version's, if it is in one."""

    message: str
    version: VersionOut
    traffic: TrafficOut
    rollout: RolloutOut | None
