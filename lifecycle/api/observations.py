"""The admin API's JSON on its way out: what was seen, by workers, labels and monitors."""

from collections.abc import Mapping
from typing import Any, Self

from pydantic import BaseModel, ConfigDict

from gateway.core.report import WorkerReport
from lifecycle.core.verdict import Verdict


class ReceiptOut(BaseModel):
    """What became of a batch of labels. `unknown` ones are kept until their prediction arrives."""

    model_config = ConfigDict(from_attributes=True)

    joined: int
    duplicate: int
    conflicting: int
    unknown: int


class FailedOut(BaseModel):
    model: str
    version: int
    reason: str


class WorkerOut(BaseModel):
    """`loaded` counts the versions in its memory, `held_bytes` what they take of `budget_bytes`.

    `loads` and `evictions` count since it started.
    """

    worker: str
    generation: int
    loaded: int
    held_bytes: int
    budget_bytes: int
    loads: int
    evictions: int
    failed: list[FailedOut]
    seen_at: float

    @classmethod
    def of(cls, report: WorkerReport) -> Self:
        return cls(
            worker=report.worker,
            generation=report.generation,
            loaded=report.memory.versions,
            held_bytes=report.memory.held_bytes,
            budget_bytes=report.memory.budget_bytes,
            loads=report.memory.loads,
            evictions=report.memory.evictions,
            failed=[
                FailedOut(model=model, version=version, reason=reason)
                for (model, version), reason in sorted(report.failed.items())
            ],
            seen_at=report.seen_at,
        )


class ReadyOut(BaseModel):
    ready: bool


class StatusOut(BaseModel):
    """`ready`: all wanted workers live and on the newest `generation`.

    `info` is what the node says of itself.
    """

    version: str
    ready: bool
    generation: int
    uptime_s: float
    workers: list[WorkerOut]
    info: Mapping[str, Any]


class PointOut(BaseModel):
    """One second of a model; counts and shares by version, shadows left out."""

    at: int
    requests: dict[int, int]
    errors: dict[int, int]
    invalid: dict[int, int]
    p50_ms: float | None
    p99_ms: float | None
    share: dict[int, float]


class SeriesOut(BaseModel):
    model: str
    points: list[PointOut]


class FeatureOut(BaseModel):
    """`effect` is the population stability index less its chance part."""

    name: str
    p_value: float
    effect: float
    statistic: float
    drifted: bool


class DriftOut(BaseModel):
    """PASS: no drift; FAIL: drift; INCONCLUSIVE: too little is known. `n` counts rows."""

    model: str
    verdict: Verdict
    reason: str
    n: int
    features: list[FeatureOut]


class CohortOut(BaseModel):
    """Predictions made from `start` to `end`, with the 95 % interval of their accuracy."""

    start: float
    end: float
    predictions: int
    labelled: int
    coverage: float
    mature: bool
    accuracy: float | None
    low: float | None
    high: float | None


class VersionPerformanceOut(BaseModel):
    version: int
    cohorts: list[CohortOut]


class FallOut(BaseModel):
    """A confirmed loss of accuracy."""

    since: float
    rows: int
    accuracy: float
    upper: float
    reference: float


class PerformanceOut(BaseModel):
    """`reference` is the champion's accuracy at validation. Empty until labels arrive."""

    model: str
    champion: int = 0
    reference: float | None = None
    fall: FallOut | None = None
    versions: list[VersionPerformanceOut] = []


class RetrainingOut(BaseModel):
    """Where retraining stands. `started` are Unix seconds of all trainings so far."""

    model_config = ConfigDict(from_attributes=True)

    recipe: str
    running: bool
    reason: str
    started: list[float]
