"""A worker's HTTP listeners: opens sockets, sends each request to its handler, and drains."""

import asyncio
import contextlib
import logging
import socket
import time
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from gateway.errors import ErrorCode, GatewayError, internal
from gateway.protocols.fields import model_name, version_named
from gateway.protocols.proto_layouts import KnownLayouts
from gateway.server.descriptors import affordable
from gateway.server.http import codecs, grpc_lane, inference, paths
from gateway.server.http.connection import HttpConnection, Watch
from gateway.server.http.eager import run_eagerly
from gateway.server.http.heads import KnownHeads
from gateway.server.http.inference import Codec, Target
from gateway.server.http.message import Request, fault
from gateway.server.patience import WORKER, Patience
from gateway.server.service import Poller, Service

F = TypeVar("F")
_SWEEP_S = 1.0
_KNOWN_URLS = 16_384  # of some thousands of models, each asked by name and by version
_log = logging.getLogger(__name__)


class HttpListener:
    """Serves every protocol over HTTP and the fast lane of gRPC, on any number of sockets."""

    def __init__(self, service: Service) -> None:
        self.max_body = service.max_body
        self.leaving = False
        self.refused = 0
        """Connections over the limit."""
        self.heads = KnownHeads()
        self.express = None if service.express is None else service.express.answer
        self.pressure = service.pressure
        self._poller: Poller | None = None
        self._patience = Patience(WORKER, time.thread_time)
        self._service = service
        self._max_connections = affordable(service.limits.max_connections)
        self._connections: set[HttpConnection] = set()
        self._servers: list[asyncio.Server] = []
        self._sweeper: asyncio.TimerHandle | None = None
        self._empty = asyncio.Event()
        self._layouts = KnownLayouts()
        self._v2 = codecs.V2()
        self._targets: dict[bytes, Target] = {}

    # ---- life ----

    @property
    def connections(self) -> int:
        """Open ones."""
        return len(self._connections)

    @property
    def serving(self) -> bool:
        """Whether a socket is open."""
        return any(server.is_serving() for server in self._servers)

    async def listen_tcp(self, host: str, port: int) -> int:
        """Listen beside other workers on the same port. Returns the port, chosen if it was 0."""
        loop = asyncio.get_running_loop()
        server = await loop.create_server(
            lambda: HttpConnection(self), host, port, reuse_port=True, backlog=1024
        )
        self._opened(server)
        address: tuple[str, int] = server.sockets[0].getsockname()
        return address[1]

    async def listen_unix(self, path: Path | str) -> None:
        """Listen on a unix socket; one left over at this path is replaced."""
        loop = asyncio.get_running_loop()
        bound = _bind(Path(path))
        server = await loop.create_unix_server(lambda: HttpConnection(self), sock=bound, backlog=1024)
        self._opened(server)

    def _opened(self, server: asyncio.Server) -> None:
        self._servers.append(server)
        if self._sweeper is None:
            self._sweep()
            self.pressure.start()
            self._patience.start()
            if self._service.express is not None:
                self._poller = self._service.express.poller(asyncio.get_running_loop())

    def _sweep(self) -> None:
        loop = asyncio.get_running_loop()
        for connection in list(self._connections):
            connection.sweep(loop.time())
        self._sweeper = loop.call_later(_SWEEP_S, self._sweep)

    def leave(self) -> None:
        """Say so to the balancer: not ready, and every connection ends with its next answer."""
        self.leaving = True
        self.express = None
        if self._poller is not None:
            self._poller.close()
            self._poller = None

    async def drain(self, grace_s: float) -> None:
        """Take nothing new, finish what is under way, close. What is not done by then is cut off."""
        self.leave()
        for server in self._servers:
            server.close()
        for connection in list(self._connections):
            connection.drain()
        if self._connections:
            self._empty.clear()
            try:
                await asyncio.wait_for(self._empty.wait(), grace_s)
            except TimeoutError:
                _log.warning("%d connections did not finish in time", len(self._connections))
                for connection in list(self._connections):
                    connection.abort()
        if self._sweeper is not None:
            self._sweeper.cancel()
            self._sweeper = None
        self.pressure.stop()
        self._patience.stop()

    # ---- for connections ----

    @property
    def watch(self) -> Callable[[int, Callable[[bytes, bytes], None]], Watch] | None:
        return None if self._poller is None else self._poller.watch

    def admit(self, connection: HttpConnection) -> bool:
        self._connections.add(connection)
        if len(self._connections) <= self._max_connections:
            return True
        self.refused += 1
        return False

    def forget(self, connection: HttpConnection) -> None:
        self._connections.discard(connection)
        if not self._connections:
            self._empty.set()

    def handle(self, request: Request) -> bytes | asyncio.Task[bytes]:
        """The answer, or the task that will give it. Never raises."""
        target = self._targets.get(request.url)
        if target is not None and request.method == b"POST":
            return self._infer(request, target, self._v2)
        try:
            if grpc_lane.meant(request):
                return self._call(request)
            return self._route(request)
        except GatewayError as error:
            return fault(request, error)
        except Exception:
            _log.exception("a request failed")
            return fault(request, internal())

    def _call(self, request: Request) -> bytes | asyncio.Task[bytes]:
        if self.pressure.high:
            return grpc_lane.fault(request, self.pressure.refusal())
        return run_eagerly(grpc_lane.infer(self._service, request, self._layouts))

    def _route(self, request: Request) -> bytes | asyncio.Task[bytes]:
        path = paths.parse(request.url)
        if request.method == b"POST":
            match path.pattern:
                case paths.INFER:
                    return self._infer(request, self._target(request, path), self._v2)
                case paths.PREDICT:
                    return self._infer(request, _target(path.model, path), codecs.V1)
                case paths.INVOKE:
                    target = _target(path.model or self._meant(request), path)
                    return self._infer(request, target, codecs.invoked(request))
        everybody = path.pattern in paths.OPEN
        context = self._service.context(request.headers, ready=not self.leaving, everybody=everybody)
        return run_eagerly(paths.respond(context, request, path))

    def _target(self, request: Request, path: paths.Path) -> Target:
        """The target of a V2 URL, which is remembered: that saves 4 µs a request."""
        target = _target(path.model, path)
        if target.model in self._service.engine.routes.table.models and b"?" not in request.url:
            if len(self._targets) >= _KNOWN_URLS:
                del self._targets[next(iter(self._targets))]
            self._targets[request.url] = target
        return target

    def _meant(self, request: Request) -> str:
        """The model of a path that names none. Of those that are not the caller's not even a name is told."""
        caller, default = self._service.caller(request.headers), self._service.default_model
        if default and (caller is None or caller.covers(default)):
            return default
        models = self._service.engine.routes.table.models
        seen = list(models) if caller is None else [name for name in models if caller.covers(name)]
        if len(seen) == 1:
            return seen[0]
        raise GatewayError(
            ErrorCode.NOT_FOUND,
            "this path names no model, and not just one is served: set default_model in [gateway], or call "
            "/serving-endpoints/MODEL/invocations",
        )

    def _infer(self, request: Request, target: Target, codec: Codec[F]) -> bytes | asyncio.Task[bytes]:
        if self.pressure.high:
            return fault(request, self.pressure.refusal())
        return run_eagerly(inference.infer(self._service, request, target, codec))


def _target(model: str, path: paths.Path) -> Target:
    return Target(model_name(model), version_named(path.version))


def _bind(path: Path) -> socket.socket:
    with contextlib.suppress(FileNotFoundError):
        path.unlink()
    bound = socket.socket(socket.AF_UNIX)
    bound.bind(str(path))
    return bound
