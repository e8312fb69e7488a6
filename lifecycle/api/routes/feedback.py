"""`/v1/feedback`: labels and numbers that come in after the prediction, as Parquet, CSV or JSON."""

import asyncio
from collections.abc import Sequence
from typing import Annotated, Any

import pyarrow as pa
from fastapi import APIRouter, Query, Request, Response
from pydantic import ValidationError

from lifecycle.api.desk import Actor, AtDesk, Caller, covered
from lifecycle.api.schemas.observations import ReceiptOut
from lifecycle.api.schemas.requests import LabelIn, LabelsIn, NumberIn
from lifecycle.core.analysis.metrics import PREFIX
from lifecycle.errors import LifecycleCode, LifecycleError

router = APIRouter(tags=["feedback"])


@router.post("/v1/feedback")
async def feedback(
    request: Request,
    desk: AtDesk,
    actor: Actor,
    caller: Caller,
    response: Response,
    model: Annotated[str, Query(description="Needed with a file; JSON names it itself.")] = "",
) -> ReceiptOut:
    """Add labels, and numbers of business metrics. Saying one again changes nothing; a contradicting one is
    put aside.

    The body is Parquet or CSV with the column `prediction_id`, `label`, `feedback.NAME` or both, and maybe
    `at`, when they became known in Unix seconds; or JSON `{"model": …, "labels": [{"prediction_id": …,
    "label": …}], "metrics": [{"prediction_id": …, "name": …, "value": …}]}`, each maybe with `at`.
    """
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    labels: bytes | pa.Table = await request.body()
    if kind == "application/json" and isinstance(labels, bytes):
        model, labels = await asyncio.to_thread(_from_json, labels)
    if not model:
        raise _invalid("name the model: `?model=NAME`, or send JSON with `content-type: application/json`")
    covered(caller, model)
    receipt = await asyncio.to_thread(desk.feedback.ingest, model, labels, actor)
    if receipt.unknown:
        response.status_code = 202  # kept until their predictions are known
    return ReceiptOut.of(receipt)


def _from_json(body: bytes) -> tuple[str, pa.Table]:
    try:
        given = LabelsIn.model_validate_json(body)
    except ValidationError as error:
        first = error.errors()[0]
        fault = first["msg"].removeprefix("Value error, ")
        raise _invalid(f"{'.'.join(map(str, first['loc']))}: {fault}") from None
    if not given.labels and not given.metrics:
        raise _invalid("there are neither `labels` nor `metrics` in it")
    try:
        labels: list[Any] = [pair.label for pair in given.labels]
        tables = [_column("label", given.labels, labels)]
    except pa.ArrowException:
        raise _invalid("labels of one batch are of one type") from None
    for name in dict.fromkeys(number.name for number in given.metrics):
        own = [number for number in given.metrics if number.name == name]
        tables.append(_column(PREFIX + name, own, [number.value for number in own]))
    table = pa.concat_tables([each for each in tables if each.num_rows], promote_options="default")
    return given.model, table


def _column(name: str, said: Sequence[LabelIn | NumberIn], values: list[Any]) -> pa.Table:
    ids = pa.array([each.prediction_id for each in said], pa.string())
    at = pa.array([each.at for each in said], pa.float64())
    return pa.table({"prediction_id": ids, "at": at, name: pa.array(values)})


def _invalid(message: str) -> LifecycleError:
    return LifecycleError(LifecycleCode.INVALID, message)
