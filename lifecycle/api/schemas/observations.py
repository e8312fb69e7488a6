"""The admin API's JSON on its way out: what was seen, by workers, labels and monitors."""

from collections.abc import Callable, Mapping
from typing import Any, Self

from pydantic import BaseModel, ConfigDict

from gateway.core.report import WorkerReport
from lifecycle.commands.learning.feedback import Receipt
from lifecycle.core.estimation.expectation import Method
from lifecycle.core.performance.answers import Measure
from lifecycle.core.verdict import Verdict


class LabelReceiptOut(BaseModel):
    """What became of values. `unknown` ones are kept until their prediction arrives.

    Put aside are `conflicting` ones, and those from before their prediction (`early`) or long after (`late`).
    """

    model_config = ConfigDict(from_attributes=True)

    joined: int = 0
    duplicate: int = 0
    conflicting: int = 0
    unknown: int = 0
    early: int = 0
    late: int = 0


class ReceiptOut(LabelReceiptOut):
    """What became of a batch of labels, and by name of the numbers of each business metric in it.

    `unfamiliar` counts labels by class that neither the champion nor its reference data name, the most
    frequent ones. They are kept, and no answer of the champion's agrees with them.
    """

    metrics: dict[str, LabelReceiptOut]
    unfamiliar: dict[str, int]

    @classmethod
    def of(cls, receipt: Receipt) -> Self:
        labels = LabelReceiptOut.model_validate(receipt.labels) if receipt.labels else LabelReceiptOut()
        metrics = {name: LabelReceiptOut.model_validate(each) for name, each in receipt.metrics.items()}
        return cls(**labels.model_dump(), metrics=metrics, unfamiliar=dict(receipt.unfamiliar))


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
    def of(cls, report: WorkerReport, told: Callable[[str], bool]) -> Self:
        """`told` says of which models the caller may know that they failed."""
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
                if told(model)
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
    """Predictions made from `start` to `end`, with the 95 % interval of their accuracy.

    Of a model that answers numbers that is the interval of `mae`, the mean absolute error, and `accuracy` is
    null; else `mae` and `rmse`, the root mean squared error, are.
    """

    start: float
    end: float
    predictions: int
    labelled: int
    coverage: float
    mature: bool
    accuracy: float | None
    mae: float | None
    low: float | None
    high: float | None
    rmse: float | None
    rmse_low: float | None
    rmse_high: float | None


class VersionPerformanceOut(BaseModel):
    version: int
    cohorts: list[CohortOut]


class FallOut(BaseModel):
    """A confirmed loss of accuracy, or a rise of the mean absolute error.

    Of the newest rows since then: `accuracy` with the `upper` end of its 95 % interval, or `mae` with the
    `lower` one.
    """

    since: float
    rows: int
    measure: Measure
    accuracy: float | None = None
    upper: float | None = None
    mae: float | None = None
    lower: float | None = None
    reference: float


class VersionNumbersOut(BaseModel):
    """The mean of a version's numbers, with its 95 % interval where there are two or more."""

    version: int
    rows: int
    mean: float
    low: float | None
    high: float | None


class MetricOut(BaseModel):
    """A business metric, by the numbers that came in the last hour."""

    name: str
    versions: list[VersionNumbersOut]


class EstimateOut(BaseModel):
    """Accuracy, or mean absolute error, expected of the answers from `start` to `end` without labels.

    `low` and `high` are three sampling errors away. With the method `none` nothing can be said, and `reason`
    tells why.
    """

    start: float
    end: float
    rows: int
    method: Method
    reason: str
    measure: Measure
    accuracy: float | None = None
    mae: float | None = None
    low: float | None
    high: float | None
    domain_auc: float
    effective_rows: float


class PerformanceOut(BaseModel):
    """`measure` is what the champion's answers are measured by: `accuracy`, or `mae`, the mean absolute error
    of numbers. `reference` is its value at validation. Empty until labels, numbers or estimates come.

    `estimate_fell_at` is since when the estimates are clearly worse than it was on the reference rows.
    """

    model: str
    champion: int = 0
    measure: Measure | None = None
    reference: float | None = None
    fall: FallOut | None = None
    versions: list[VersionPerformanceOut] = []
    metrics: list[MetricOut] = []
    estimates: list[EstimateOut] = []
    estimate_fell_at: float | None = None


class RetrainingOut(BaseModel):
    """Where retraining stands. `started` are Unix seconds of all trainings so far."""

    model_config = ConfigDict(from_attributes=True)

    recipe: str
    running: bool
    reason: str
    started: list[float]
