"""The cluster at a glance: `/v1/status`, `/metrics`, and the page for people at `/`."""

import asyncio
import time
from collections import Counter
from importlib.resources import files

from fastapi import APIRouter, Request
from fastapi.responses import Response

from gateway.telemetry.metrics import CONTENT_TYPE
from lifecycle.api.desk import AtDesk, Caller, Desk
from lifecycle.api.schemas.observations import ReadyOut, StatusOut, WorkerOut
from lifecycle.errors import LifecycleCode, LifecycleError

_UI = files("lifecycle.api") / "ui"
_MEDIA = {"html": "text/html", "css": "text/css", "js": "text/javascript", "svg": "image/svg+xml"}
_PAGE_HEADERS = {
    "content-security-policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "
        "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    ),
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    "cache-control": "no-cache",
}
_STARTED = time.monotonic()

router = APIRouter(tags=["overview"])


@router.get("/v1/status")
async def status(desk: AtDesk, caller: Caller, request: Request) -> StatusOut:
    """Whether the cluster is ready to serve, and who its workers are."""
    workers = sorted(desk.fleet.workers(), key=lambda report: report.worker)
    generation = desk.fleet.table.generation
    return StatusOut(
        version=request.app.version,
        ready=_ready(desk),
        generation=generation,
        uptime_s=time.monotonic() - _STARTED,
        workers=[WorkerOut.of(report, caller.covers) for report in workers],
        info=desk.info,
    )


@router.get("/v1/ready")
async def ready(desk: AtDesk) -> ReadyOut:
    """Whether the cluster is ready to serve; takes no key."""
    return ReadyOut(ready=_ready(desk))


def _ready(desk: Desk) -> bool:
    generation = desk.fleet.table.generation
    there = Counter(report.place.node for report in desk.fleet.workers() if report.generation >= generation)
    late = len(desk.fleet.workers()) > there.total()
    return not late and all(there[node] >= wanted for node, wanted in desk.nodes.wanted().items())


@router.get("/metrics", response_class=Response)
async def metrics(desk: AtDesk) -> Response:
    """Prometheus text: all workers, the edges and the controller."""
    return Response(await asyncio.to_thread(desk.metrics), media_type=CONTENT_TYPE)


@router.get("/", include_in_schema=False)
async def page() -> Response:
    return _file("index.html")


@router.get("/ui/{name}", include_in_schema=False)
async def asset(name: str) -> Response:
    return _file(name)


def _file(name: str) -> Response:
    known = {entry.name: entry for entry in _UI.iterdir()}
    if name not in known:
        raise LifecycleError(LifecycleCode.NOT_FOUND, "the page has no such part")
    media = _MEDIA[name.rpartition(".")[2]]
    return Response(known[name].read_bytes(), media_type=media, headers=_PAGE_HEADERS)
