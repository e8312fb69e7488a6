"""A line to a worker, and what is sent on it: bytes in, bytes out, no socket."""

import asyncio
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

from gateway.config import GatewayConfig
from gateway.core.routing import ModelRoute, RouteTable, VersionEntry
from gateway.core.summary import Window
from gateway.server.http.connection import HttpConnection
from gateway.server.http.listener import HttpListener
from gateway.server.http.message import Request
from gateway.server.tally import Count
from gateway.telemetry.record import Record
from gateway.worker import Worker

_ID = re.compile(rb"[0-9a-f]+-[0-9a-f]{12}")


class _Wire(asyncio.Transport):
    def __init__(self) -> None:
        self.written = b""

    def write(self, data: Any) -> None:
        self.written += data

    def write_eof(self) -> None: ...

    def is_closing(self) -> bool:
        return False


class _Counting:
    """A listener of which it is counted how many requests it handles."""

    def __init__(self, http: HttpListener) -> None:
        self._http = http
        self.max_body, self.heads = http.max_body, http.heads
        self.admit, self.forget = http.admit, http.forget
        self.handled = 0

    @property
    def leaving(self) -> bool:
        return self._http.leaving

    @property
    def express(self) -> Callable[[bytes], bytes | None] | None:
        return self._http.express

    @property
    def watch(self) -> None:
        return None

    def handle(self, request: Request) -> bytes | asyncio.Task[bytes]:
        self.handled += 1
        return self._http.handle(request)


class Line:
    """A connection to a worker, of which it is seen how many requests went the usual way."""

    def __init__(self, worker: Worker) -> None:
        self.worker = worker
        self._host = _Counting(worker.http)
        self._wire = _Wire()
        self._connection = HttpConnection(self._host)
        self._connection.connection_made(self._wire)

    @property
    def usual(self) -> int:
        return self._host.handled

    def ask(self, data: bytes) -> bytes:
        """The answer to a whole request that is answered at once."""
        self._wire.written = b""
        self._connection.data_received(data)
        return self._wire.written

    def taught(self, data: bytes) -> bytes:
        """The answer once the request has come often enough."""
        for _ in range(4):
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


async def opened(home: Path, *routes: ModelRoute, express: bool = True, **settings: Any) -> Line:
    """A line to a new worker that serves these routes, with the express lane or without."""
    worker = Worker(GatewayConfig(home=home, **settings), "w")
    await worker.apply(RouteTable(1, {each.name: each for each in routes}))
    if not express:
        worker.http.express = None
    return Line(worker)


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


def chunked(body: bytes) -> bytes:
    """A request whose head is the same whatever its body is."""
    head = b"POST /v2/models/m/infer HTTP/1.1\r\nhost: h\r\ntransfer-encoding: chunked\r\n\r\n"
    return head + b"%x\r\n%s\r\n0\r\n\r\n" % (len(body), body)
