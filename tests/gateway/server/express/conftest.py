"""Workers with the express lane and without, and lines to them on which it is seen which way requests go."""

import asyncio
import re
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest

from gateway.config import GatewayConfig
from gateway.core.routing import ModelRoute, RouteTable, VersionEntry
from gateway.core.summary import Window
from gateway.server.http.connection import HttpConnection
from gateway.server.http.message import Request
from gateway.server.tally import Count
from gateway.telemetry.record import Record
from gateway.worker import Worker

_ID = re.compile(rb"[0-9a-f]+-[0-9a-f]{9}")


class _Wire(asyncio.Transport):
    def __init__(self) -> None:
        self.written = b""

    def write(self, data: Any) -> None:
        self.written += data

    def write_eof(self) -> None: ...

    def is_closing(self) -> bool:
        return False


class Line:
    """A connection to a worker, of which it is seen which requests went the usual way."""

    def __init__(self, worker: Worker, monkeypatch: pytest.MonkeyPatch) -> None:
        self.worker = worker
        self.usual = 0
        handle = worker.http.handle

        def counted(request: Request) -> bytes | asyncio.Task[bytes]:
            self.usual += 1
            return handle(request)

        monkeypatch.setattr(worker.http, "handle", counted)
        self._wire = _Wire()
        self._connection = HttpConnection(worker.http)
        self._connection.connection_made(self._wire)

    def ask(self, data: bytes) -> bytes:
        """The answer to a whole request that is answered at once."""
        self._wire.written = b""
        self._connection.data_received(data)
        return self._wire.written

    def taught(self, data: bytes) -> bytes:
        """The answer once the request has come often enough."""
        for _ in range(3):
            self.ask(data)
        return self.ask(data)

    def goes_express(self, data: bytes) -> bool:
        before = self.usual
        self.ask(data)
        return self.usual == before

    def seen(self) -> tuple[list[Window], list[Record]]:
        """What the tap had to tell."""
        return self.worker.tap.drain(self.worker.tap._since + 1, everything=True)

    def counted(self, model: str, version: int = 1) -> Count:
        self.worker._tally.settle()
        return self.worker._tally.counts[model, version]

    def close(self) -> None:
        self._connection.connection_lost(None)


def alike(reply: bytes) -> bytes:
    """A reply without what is never the same."""
    return _ID.sub(b"ID", reply)


def post(path: str, body: bytes, *lines: str) -> bytes:
    head = "".join(f"{line}\r\n" for line in (f"POST {path} HTTP/1.1", "host: h", *lines))
    return f"{head}content-length: {len(body)}\r\n\r\n".encode() + body


def infer(model: str, body: bytes, *lines: str) -> bytes:
    return post(f"/v2/models/{model}/infer", body, *lines)


def route(
    name: str, *entries: VersionEntry, weights: tuple[float, ...] = (100.0,), **more: Any
) -> ModelRoute:
    """The first version is the champion."""
    return ModelRoute(
        name,
        entries,
        entries[0].version,
        tuple((entry.version, weight) for entry, weight in zip(entries, weights, strict=False)),
        **more,
    )


Start = Callable[..., Any]


@pytest.fixture
async def start(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Start]:
    """Starts a worker that serves these routes, and opens a line to it."""
    lines: list[Line] = []

    async def started(*routes: ModelRoute, express: bool = True, **settings: Any) -> Line:
        with monkeypatch.context() as patched:
            patched.setattr("gateway.server.express.COMPILED", express)
            worker = Worker(GatewayConfig(home=tmp_path, **settings), f"w{len(lines)}")
        await worker.apply(RouteTable(1, {each.name: each for each in routes}))
        lines.append(Line(worker, monkeypatch))
        return lines[-1]

    yield started
    for line in lines:
        line.close()
        await line.worker.drain()
