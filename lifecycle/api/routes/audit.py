"""`/v1/audit`: the ledger, the past it tells of, and the proof that nobody rewrote it. Only reads."""

import asyncio
from collections.abc import Sequence
from time import time as now
from typing import Annotated

from fastapi import APIRouter, Query

from lifecycle.api.desk import AtDesk, Caller, covered
from lifecycle.api.schemas.ledger import (
    KeyOut,
    LedgerOut,
    PredictionOut,
    RecordOut,
    RecordsOut,
    SplitOut,
    SplitsOut,
)
from lifecycle.commands.governance import audit
from lifecycle.core.governance.ledger import Record
from lifecycle.core.moments import read_time
from lifecycle.errors import LifecycleCode, LifecycleError
from lifecycle.ports import Store

router = APIRouter(prefix="/v1/audit", tags=["audit"])


@router.get("")
async def records(
    desk: AtDesk,
    caller: Caller,
    model: str | None = None,
    after: Annotated[int | None, Query(ge=0)] = None,
    limit: Annotated[int, Query(ge=1, le=1000)] = 100,
    kind: Annotated[str, Query(description="With its parts: `rollout` is `rollout.start`, too.")] = "",
) -> RecordsOut:
    """Ledger records, oldest first: the newest ones, or the first ones behind number `after`.

    Of one model, or of every model that the caller may see.
    """
    if model is not None:
        covered(caller, model)
    scope = caller.models
    if after is None:
        found = await asyncio.to_thread(newest, desk.store, model, limit, scope, kind)
    else:
        found = await asyncio.to_thread(
            desk.store.records, model, after=after, limit=limit, scope=scope, kind=kind
        )
    return RecordsOut(records=[RecordOut.of(record) for record in found])


@router.get("/at")
async def at(
    desk: AtDesk,
    caller: Caller,
    time: Annotated[str, Query(description="ISO 8601 or Unix seconds.")],
    model: str | None = None,
) -> SplitsOut:
    """Which versions had a model's traffic at a time, or every model's that the caller may see."""
    moment = read_time(time, now())
    if model is not None:
        covered(caller, model)
        return SplitsOut(
            splits=[SplitOut.of(await asyncio.to_thread(audit.at, desk.store, model, moment), moment)]
        )
    splits = await asyncio.to_thread(audit.splits_at, desk.store, moment)
    seen = (split for split in splits if caller.covers(split.model))
    return SplitsOut(splits=[SplitOut.of(split, moment) for split in seen])


@router.get("/predictions/{prediction:path}")
async def prediction(desk: AtDesk, caller: Caller, prediction: str) -> PredictionOut:
    """Which version gave an answer, who let it serve, on what evidence. Knows captured predictions only."""
    origin = await asyncio.to_thread(desk.find, prediction)
    if origin is None or not caller.covers(origin.model):
        message = f"prediction {prediction!r} was not captured; only a sample of the traffic is"
        raise LifecycleError(LifecycleCode.NOT_FOUND, message)
    account = await asyncio.to_thread(audit.account, desk.store, origin)
    return PredictionOut.of(prediction, origin, account)


@router.get("/verify")
async def verify(desk: AtDesk) -> LedgerOut:
    """Check each record against its hash, the one before it and the checkpoints; the registry by them."""
    kept = await asyncio.to_thread(desk.checkpoints.read)
    return LedgerOut.of(await asyncio.to_thread(audit.verify, desk.store, kept))


@router.get("/key")
async def key(desk: AtDesk) -> KeyOut:
    """The public key of the ledger's checkpoints. Write it down elsewhere."""
    return KeyOut(key=desk.checkpoints.key)


def newest(
    store: Store, model: str | None, limit: int, scope: Sequence[str] = (), kind: str = ""
) -> list[Record]:
    """The last `limit` records, oldest first. Looks back ever further until there are enough."""
    head, span = store.head().seq, limit
    while True:
        start = max(head - span, 0)
        found = store.records(model, after=start, limit=span, scope=scope, kind=kind)
        if len(found) >= limit or start == 0:
            return found[-limit:]
        span *= 4
