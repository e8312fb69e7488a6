"""Workers with the express lane and without."""

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from pathlib import Path
from typing import Any

import pytest
import uvloop

from gateway.core.routing import ModelRoute
from gateway.server.express import COMPILED
from tests.gateway.conftest import Write
from tests.gateway.server.express.bodies import BODY
from tests.gateway.server.express.line import Line, chunked, infer, opened, route

collect_ignore_glob = [] if COMPILED else ["test_*.py"]
Start = Callable[..., Any]


def pytest_asyncio_loop_factories() -> Mapping[str, Callable[[], asyncio.AbstractEventLoop]]:
    return {"uvloop": uvloop.new_event_loop}  # as in a worker


@pytest.fixture
async def start(tmp_path: Path) -> AsyncIterator[Start]:
    """Starts a worker that serves these routes, and opens a line to it."""
    lines: list[Line] = []

    async def started(*routes: ModelRoute, **more: Any) -> Line:
        lines.append(await opened(tmp_path, *routes, **more))
        return lines[-1]

    yield started
    for line in lines:
        line.close()
        await line.worker.drain()


@pytest.fixture
async def lines(start: Start, logistic: bytes, written: Write) -> tuple[Line, Line]:
    champion = route("m", written(logistic))
    express, usual = await start(champion), await start(champion, express=False)
    express.taught(infer("m", BODY))
    express.taught(chunked(BODY))
    return express, usual
