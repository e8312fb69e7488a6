"""What is seen of a model (traffic, drift, performance), and retraining it."""

from typing import Any

from fastapi import APIRouter

from lifecycle.api.desk import Actor, AtDesk
from lifecycle.api.preconditions import IfRevision
from lifecycle.api.schemas.observations import DriftOut, PerformanceOut, RetrainingOut, SeriesOut
from lifecycle.api.schemas.requests import ReasonIn
from lifecycle.core.verdict import Verdict

router = APIRouter(prefix="/v1/models/{model}", tags=["observation"])


@router.get("/series")
async def series(model: str, desk: AtDesk) -> SeriesOut:
    """The last hour of live traffic, a point per second with traffic, oldest first."""
    desk.models.show(model)
    return SeriesOut(model=model, points=[point.as_json() for point in desk.monitor.series(model)])


@router.get("/drift")
async def drift(model: str, desk: AtDesk) -> DriftOut:
    """How the champion's newest inputs and outputs compare with its reference data."""
    desk.models.show(model)
    report = desk.monitor.drift(model)
    if report is None:
        reason = "nothing to compare yet: it takes a champion with reference data, and traffic"
        return DriftOut(model=model, verdict=Verdict.INCONCLUSIVE, reason=reason, n=0, features=[])
    return DriftOut.model_validate(report.as_json() | {"model": model})


@router.get("/performance")
async def performance(model: str, desk: AtDesk) -> PerformanceOut:
    """How good the answers were as far as labels say, and how good the champion's should be without any."""
    known, _ = desk.models.show(model)
    found = desk.monitor.performance(model)
    labelled: dict[str, Any] = found.as_json() if found is not None else {"champion": known.champion}
    estimates = [estimate.as_json() for estimate in desk.estimates.series(model)]
    fell_at = desk.estimates.fell_at(model)
    return PerformanceOut.model_validate(
        labelled | {"model": model, "estimates": estimates, "estimate_fell_at": fell_at}
    )


@router.get("/retrain")
async def retraining(model: str, desk: AtDesk) -> RetrainingOut:
    """Whether a training is under way, and why or why not."""
    return RetrainingOut.model_validate(desk.retraining.status(model))


@router.post("/retrain", status_code=202)
async def retrain(
    model: str, desk: AtDesk, actor: Actor, if_revision: IfRevision, wanted: ReasonIn | None = None
) -> RetrainingOut:
    """Train a new version now; answers when the training is under way."""
    await desk.retraining.start(model, wanted.reason if wanted else "", actor, if_revision=if_revision)
    return RetrainingOut.model_validate(desk.retraining.status(model))
