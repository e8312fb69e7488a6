"""`/v1/events`: ledger records as they are written, as server-sent events. Only reads."""

import asyncio
from collections.abc import AsyncIterator
from typing import Annotated

from fastapi import APIRouter, Header, Request
from fastapi.responses import StreamingResponse

from lifecycle.api.desk import AtDesk
from lifecycle.api.ledger import RecordOut
from lifecycle.ports import Store

POLL_S = 0.25
HEARTBEAT_S = 10.0

router = APIRouter(tags=["events"])


@router.get("/v1/events", response_class=StreamingResponse)
async def events(
    desk: AtDesk,
    request: Request,
    last_event_id: Annotated[int | None, Header(ge=0)] = None,
    after: int | None = None,
) -> StreamingResponse:
    """New ledger records. `Last-Event-ID` (or `after`) resumes; without it, from now on."""
    start = last_event_id if last_event_id is not None else after
    stream = _stream(desk.store, start, request)
    return StreamingResponse(stream, media_type="text/event-stream", headers={"cache-control": "no-store"})


async def _stream(store: Store, after: int | None, request: Request) -> AsyncIterator[str]:
    seen = store.head().seq if after is None else after
    yield ": connected\n\n"
    quiet_s = 0.0
    while not await request.is_disconnected():
        for record in await asyncio.to_thread(store.records, after=seen):
            seen, quiet_s = record.seq, 0.0
            yield f"id: {seen}\nevent: record\ndata: {RecordOut.of(record).model_dump_json()}\n\n"
        if keep_alive(quiet_s):
            yield ": still here\n\n"
        await asyncio.sleep(POLL_S)
        quiet_s += POLL_S


def keep_alive(quiet_s: float) -> bool:
    """Whether to break a silence of so many seconds, so that nobody takes the stream for dead."""
    return quiet_s > 0 and quiet_s % HEARTBEAT_S == 0
