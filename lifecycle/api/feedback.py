"""`/v1/feedback`: labels that come in after the prediction, as Parquet, CSV or JSON."""

import asyncio
from typing import Annotated, Any

import pyarrow as pa
from fastapi import APIRouter, Query, Request, Response
from pydantic import ValidationError

from lifecycle.api.desk import Actor, AtDesk, Caller, covered
from lifecycle.api.observations import ReceiptOut
from lifecycle.api.requests import LabelsIn
from lifecycle.errors import LifecycleCode, LifecycleError

MAX_BYTES = 256 << 20

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
    """Add labels. Saying a label again changes nothing; a contradicting one is put aside.

    The body is Parquet or CSV with the columns `prediction_id` and `label`, or JSON
    `{"model": …, "labels": [{"prediction_id": …, "label": …}]}`.
    """
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    labels: bytes | pa.Table = await _read(request)
    if kind == "application/json" and isinstance(labels, bytes):
        model, labels = await asyncio.to_thread(_from_json, labels)
    if not model:
        raise _invalid("name the model: `?model=NAME`")
    covered(caller, model)
    receipt = await asyncio.to_thread(desk.feedback.ingest, model, labels, actor)
    if receipt.unknown:
        response.status_code = 202  # kept until their predictions are known
    return ReceiptOut.model_validate(receipt)


async def _read(request: Request) -> bytes:
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > MAX_BYTES:
            raise _invalid(f"more than {MAX_BYTES >> 20} MiB of labels at once; send them in parts")
    return bytes(body)


def _from_json(body: bytes) -> tuple[str, pa.Table]:
    try:
        given = LabelsIn.model_validate_json(body)
    except ValidationError as error:
        first = error.errors()[0]
        raise _invalid(f"{'.'.join(map(str, first['loc']))}: {first['msg']}") from None
    try:
        labels: list[Any] = [pair.label for pair in given.labels]
        ids = pa.array([pair.prediction_id for pair in given.labels], pa.string())
        table = pa.table({"prediction_id": ids, "label": pa.array(labels)})
    except pa.ArrowException:
        raise _invalid("labels of one batch are of one type") from None
    return given.model, table


def _invalid(message: str) -> LifecycleError:
    return LifecycleError(LifecycleCode.INVALID, message)
