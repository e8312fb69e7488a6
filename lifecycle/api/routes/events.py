"""`/v1/events`: ledger records as they are written, as server-sent events. Only reads."""

import asyncio
from collections.abc import AsyncIterator
from typing import Annotated

from fastapi import APIRouter, Header, Query, Request
from fastapi.responses import StreamingResponse

from gateway.core.keys import Key
from lifecycle.api.desk import ANYONE, AtDesk, Caller, Desk, covered
from lifecycle.api.schemas.ledger import RecordOut

POLL_S = 0.25
HEARTBEAT_S = 10.0

router = APIRouter(tags=["events"])


@router.get("/v1/events", response_class=StreamingResponse)
async def events(
    desk: AtDesk,
    caller: Caller,
    request: Request,
    last_event_id: Annotated[int | None, Header(ge=0, lt=2**31)] = None,
    after: Annotated[int | None, Query(ge=0, lt=2**31)] = None,
    model: str | None = None,
) -> StreamingResponse:
    """New ledger records, of one model or of every model that the caller may see.

    `Last-Event-ID` (or `after`) resumes; without it, from now on. The stream ends with the key that asked.
    """
    if model is not None:
        covered(caller, model)
    start = last_event_id if last_event_id is not None else after
    stream = _stream(desk, caller, model, start, request)
    return StreamingResponse(stream, media_type="text/event-stream", headers={"cache-control": "no-store"})


async def _stream(
    desk: Desk, caller: Key, model: str | None, after: int | None, request: Request
) -> AsyncIterator[str]:
    seen = desk.store.head().seq if after is None else after
    yield ": connected\n\n"
    quiet_s = 0.0
    while not await request.is_disconnected():
        records = await asyncio.to_thread(desk.store.records, model, after=seen, scope=caller.models)
        # Asked after they were read: what is written once a key is revoked must never reach who holds it.
        if caller is not ANYONE and not await asyncio.to_thread(desk.keys.still_live, caller):
            return
        for record in records:
            seen, quiet_s = record.seq, 0.0
            yield f"id: {seen}\nevent: record\ndata: {RecordOut.of(record).model_dump_json()}\n\n"
        if keep_alive(quiet_s):
            yield ": still here\n\n"
        await asyncio.sleep(POLL_S)
        quiet_s += POLL_S


def keep_alive(quiet_s: float) -> bool:
    """Whether to break a silence of so many seconds, so that nobody takes the stream for dead."""
    return quiet_s > 0 and quiet_s % HEARTBEAT_S == 0
