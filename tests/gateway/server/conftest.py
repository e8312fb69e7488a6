"""An engine of plain numpy, a listener on a unix socket, and a client that speaks raw HTTP/1.1."""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import orjson
import pytest

from gateway.config import Limits
from gateway.core.batching import Batching
from gateway.core.placement import Device
from gateway.core.routing import ModelRoute, RouteTable, VersionEntry, choose
from gateway.core.signature import Signature, TensorSpec, check
from gateway.core.types import Array, InferRequest, InferResponse
from gateway.errors import ErrorCode, GatewayError
from gateway.server.http.listener import HttpListener
from gateway.server.service import Service


def _signature(inputs: dict[str, tuple[str, tuple[int, ...]]], outputs: dict[str, str]) -> Signature:
    takes = tuple(TensorSpec(name, kind, shape) for name, (kind, shape) in inputs.items())
    return Signature(takes, tuple(TensorSpec(name, kind, (-1, -1)) for name, kind in outputs.items()))


_PAIR = _signature({"a": ("FP32", (-1, 4)), "b": ("FP32", (-1, 4))}, {"sum": "FP32", "difference": "FP32"})
SIGNATURES = {
    "pair": _PAIR,
    "slow": _PAIR,
    "loading": _PAIR,
    "broken": _PAIR,
    "busy": _PAIR,
    "one": _signature({"x": ("FP32", (-1, 4))}, {"y": "FP32"}),
    "fixed": _signature({"x": ("FP32", (1, 4))}, {"y": "FP32"}),
    "ints": _signature({"i": ("UINT8", (-1,))}, {"o": "UINT8"}),
    "text": _signature({"s": ("BYTES", (-1,))}, {"t": "BYTES"}),
    "nan": _signature({"x": ("FP32", (-1, 4))}, {"y": "FP32"}),
    "half": _signature({"x": ("FP32", (-1, 4))}, {"h": "FP16"}),
}


def _route(name: str, signature: Signature) -> ModelRoute:
    entries = tuple(VersionEntry(version, "", "", signature) for version in (1, 2))
    return ModelRoute(name, entries, champion=1, weights=((1, 100.0),))


TABLE = RouteTable(1, {name: _route(name, signature) for name, signature in SIGNATURES.items()})


class NumpyEngine:
    """Answers with sums and copies. `slow` waits for `gate`; `loading` does not load; `broken` fails."""

    def __init__(self) -> None:
        self.arrived = asyncio.Event()
        self.gate = asyncio.Event()
        self.ended = asyncio.Event()
        self.seen: list[InferRequest] = []
        self.cancelled = 0

    @property
    def routes(self) -> "NumpyEngine":
        return self

    @property
    def table(self) -> RouteTable:
        return TABLE

    @property
    def failed(self) -> dict[tuple[str, int], str]:
        return {("loading", version): "there is no room for it" for version in (1, 2)}

    def loaded(self, model: str, version: int) -> Any:
        return SimpleNamespace(batching=Batching.EXACT, device=Device.GPU) if model == "pair" else None

    async def load(self, model: str, version: int, deadline_ns: int) -> Any:
        raise AssertionError("only the pipeline asks for versions")

    def check_room(self, model: str) -> None:
        if model == "busy":
            raise GatewayError(ErrorCode.OVERLOADED, "too many requests are waiting; try again later")

    async def infer(self, request: InferRequest) -> InferResponse:
        arrived = time.monotonic_ns()
        self.check_room(request.model)
        self.seen.append(request)
        self.arrived.set()
        route = self.table.models.get(request.model)
        if route is None:
            raise GatewayError(ErrorCode.NOT_FOUND, f"no model named {request.model!r} is served here")
        choice = choose(route, request.version, request.key, 0.5)
        if reason := self.failed.get((request.model, choice.version)):
            raise GatewayError(ErrorCode.NOT_READY, reason)
        check(request.inputs, request.outputs, route.versions[0].signature)
        if request.model == "broken":
            raise RuntimeError("secret of /srv/models")
        if request.model == "slow":
            try:
                await self.gate.wait()
            except asyncio.CancelledError:
                self.cancelled += 1
                self.ended.set()
                raise
        outputs = _run(request.model, request.inputs)
        wanted = request.outputs or tuple(outputs)
        outputs = {name: outputs[name] for name in outputs if name in wanted}
        prediction = f"p-{len(self.seen)}"
        answered = (request.model, choice.version, choice.role, outputs, request.id, prediction)
        return InferResponse(*answered, arrived, time.monotonic_ns() - arrived)


def _run(model: str, inputs: dict[str, Array]) -> dict[str, Any]:
    arrays: dict[str, Any] = dict(inputs)
    match model:
        case "one":
            return {"y": arrays["x"]}
        case "ints":
            return {"o": arrays["i"]}
        case "text":
            return {"t": arrays["s"]}
        case "nan":
            return {"y": np.where(arrays["x"] > 1, np.nan, arrays["x"]).astype(np.float32)}
        case "half":
            return {"h": arrays["x"].astype(np.float16)}
    return {"sum": arrays["a"] + arrays["b"], "difference": arrays["a"] - arrays["b"]}


class Reply:
    """A parsed answer. Header names are lower-case; `trailers` are those after the last chunk."""

    def __init__(self, status: int, headers: dict[str, str]) -> None:
        self.status = status
        self.headers = headers
        self.trailers: dict[str, str] = {}
        self.body = b""

    @property
    def json(self) -> Any:
        return orjson.loads(self.body)


class RawClient:
    """One connection, byte for byte."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader = reader
        self.writer = writer

    def send(self, data: bytes) -> None:
        self.writer.write(data)

    async def post(self, path: str, body: Any, head: str = "") -> Reply:
        """A request with a body: bytes as they are, anything else as JSON."""
        data = body if isinstance(body, bytes) else orjson.dumps(body)
        self.send(
            f"POST {path} HTTP/1.1\r\nhost: h\r\ncontent-length: {len(data)}\r\n{head}\r\n".encode() + data
        )
        return await self.read()

    async def get(self, path: str, method: str = "GET") -> Reply:
        self.send(f"{method} {path} HTTP/1.1\r\nhost: h\r\n\r\n".encode())
        return await self.read(method != "HEAD")

    async def read(self, with_body: bool = True) -> Reply:
        async with asyncio.timeout(10):
            first, headers = await self._head()
            reply = Reply(int(first.split()[1]), headers)
            if headers.get("transfer-encoding") == "chunked":
                while size := int(await self.reader.readline(), 16):
                    reply.body += await self.reader.readexactly(size)
                    await self.reader.readline()
                reply.trailers = await self._fields()
            elif with_body:
                reply.body = await self.reader.readexactly(int(headers.get("content-length", "0")))
        return reply

    async def _head(self) -> tuple[str, dict[str, str]]:
        return (await self.reader.readline()).decode(), await self._fields()

    async def _fields(self) -> dict[str, str]:
        fields = {}
        while line := (await self.reader.readline()).decode().strip():
            name, _, value = line.partition(":")
            fields[name.lower()] = value.strip()
        return fields

    async def closed(self) -> bool:
        """Waits until the server has ended the connection."""
        async with asyncio.timeout(10):
            return await self.reader.read(1) == b""


Connect = Callable[[], Awaitable[RawClient]]


@pytest.fixture
async def engine() -> NumpyEngine:
    return NumpyEngine()


@pytest.fixture
async def listener(engine: NumpyEngine) -> AsyncIterator[HttpListener]:
    limits = Limits(max_body_mb=1, max_connections=20)
    listener = HttpListener(Service(engine, limits, metrics=lambda: b"requests_total 1\n"))
    yield listener
    await listener.drain(0.05)


@pytest.fixture
async def connect(listener: HttpListener, tmp_path: Path) -> AsyncIterator[Connect]:
    """Opens connections to the listener; all are closed after the test."""
    path = tmp_path / "worker.sock"
    await listener.listen_unix(path)
    writers = []

    async def open_one() -> RawClient:
        reader, writer = await asyncio.open_unix_connection(str(path))
        writers.append(writer)
        return RawClient(reader, writer)

    yield open_one
    for writer in writers:
        writer.close()


@pytest.fixture
async def client(connect: Connect) -> RawClient:
    return await connect()


@pytest.fixture
def pair() -> dict[str, Any]:
    """A sound request to `pair`."""
    return {
        "inputs": [
            {"name": "a", "datatype": "FP32", "shape": [1, 4], "data": [1, 2, 3, 4]},
            {"name": "b", "datatype": "FP32", "shape": [1, 4], "data": [[0.5, 0.5, 0.5, 0.5]]},
        ]
    }
