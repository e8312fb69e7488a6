"""Rollouts and what they would lead to, as JSON on their way out."""

from typing import Any, Self

from pydantic import BaseModel

from lifecycle.api.schemas.traffic import TrafficOut
from lifecycle.api.schemas.versions import FindingOut, VersionOut
from lifecycle.core.rollouts.rollout import Rollout
from lifecycle.core.verdict import Verdict


class RolloutOut(BaseModel):
    """One version on its way to all traffic, or back. Times are Unix seconds.

    `step` is the index of the plan's step in force, -1 before the first; `step_requests` the version's
    requests in it. `weight` is the version's present share in percent. `frozen` says which freeze holds it
    there, and until when; it is empty if none does.
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
    frozen: str

    @classmethod
    def of(cls, rollout: Rollout, weight: float, frozen: str = "") -> Self:
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
            frozen=frozen,
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
