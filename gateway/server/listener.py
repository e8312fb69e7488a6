"""A worker's HTTP listeners: opens sockets, sends each request to its handler, and drains."""

import asyncio
import contextlib
import logging
import socket
from collections.abc import Callable
from pathlib import Path

from gateway.config import Limits
from gateway.errors import ErrorCode, GatewayError
from gateway.ports import Engine, Repository, Routes
from gateway.protocols.fields import model_name, version_named
from gateway.protocols.json_layouts import KnownBodies
from gateway.protocols.proto_layouts import KnownLayouts
from gateway.server import grpc_lane, infer_http, predict_http, routes
from gateway.server.context import Context
from gateway.server.descriptors import affordable
from gateway.server.eager import run_eagerly
from gateway.server.gate import Gate, Scoped
from gateway.server.heads import KnownHeads
from gateway.server.http1 import HttpConnection
from gateway.server.message import Request, fault, internal
from gateway.server.neighbours import Neighbours
from gateway.server.pressure import Pressure
from gateway.server.tally import Tally
from gateway.telemetry.trace_sampling import TraceSampling

_SWEEP_S = 1.0
_KNOWN_URLS = 16_384  # of some thousands of models, each asked by name and by version
_log = logging.getLogger(__name__)


class HttpListener:
    """Serves V2 over HTTP and the fast lane of gRPC, on any number of sockets.

    Args:
        metrics: the text of `GET /metrics`.
        tally: shared with the worker's gRPC server, so that both tell the same counts.
        gate: asked before anything but health is answered; None lets everybody in.
        repository: does what clients may load and unload; None refuses it.
        traces: what clients may set of tracing; None refuses it.
        neighbours: the node's other workers, whose statistics are added to this one's; None for none.
        default_model: asked for by paths that name none; "" for the only one that is served.
    """

    def __init__(
        self,
        engine: Engine,
        limits: Limits,
        metrics: Callable[[], bytes],
        tally: Tally | None = None,
        gate: Gate | None = None,
        repository: Repository | None = None,
        traces: TraceSampling | None = None,
        neighbours: Neighbours | None = None,
        default_model: str = "",
    ) -> None:
        self._default_model = default_model
        self._traces = traces
        self._neighbours = neighbours
        self._gate = gate
        self._repository = repository
        self.tally = Tally() if tally is None else tally
        self.max_body = limits.max_body_mb * 2**20
        self.leaving = False
        self.refused = 0
        """Connections over the limit."""
        self.heads = KnownHeads()
        self.pressure = Pressure(limits.max_lag_ms / 1e3)
        self._engine = engine
        self._metrics = metrics
        self._max_connections = affordable(limits.max_connections)
        self._connections: set[HttpConnection] = set()
        self._servers: list[asyncio.Server] = []
        self._sweeper: asyncio.TimerHandle | None = None
        self._empty = asyncio.Event()
        self._layouts = KnownLayouts()
        self._bodies = KnownBodies()
        self._targets: dict[bytes, infer_http.Target] = {}

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

    def _sweep(self) -> None:
        loop = asyncio.get_running_loop()
        for connection in list(self._connections):
            connection.sweep(loop.time())
        self._sweeper = loop.call_later(_SWEEP_S, self._sweep)

    def leave(self) -> None:
        """Say so to the balancer: not ready, and every connection ends with its next answer."""
        self.leaving = True

    async def drain(self, grace_s: float = 20.0) -> None:
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

    # ---- for connections ----

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
            if self.pressure.high:
                return fault(request, self.pressure.refusal())
            return self._infer(request, target)
        if grpc_lane.meant(request):
            if self.pressure.high:
                return grpc_lane.fault(request, self.pressure.refusal())
            call = grpc_lane.infer(
                self._engine, self.tally, request, self.max_body, self._layouts, self._gate
            )
            return run_eagerly(call)
        try:
            return self._route(request)
        except GatewayError as error:
            return fault(request, error)
        except Exception:
            _log.exception("a request failed")
            return fault(request, internal())

    def _route(self, request: Request) -> bytes | asyncio.Task[bytes]:
        path = routes.parse(request.url)
        if path.pattern in (routes.PREDICT, routes.INVOKE) and request.method == b"POST":
            return self._predict(request, path)
        if path.pattern != routes.INFER or request.method != b"POST":
            return run_eagerly(routes.respond(self._context(request, path), request, path))
        target = infer_http.Target(model_name(path.model), version_named(path.version))
        if target.model in self._engine.routes.table.models and b"?" not in request.url:
            if len(self._targets) >= _KNOWN_URLS:
                del self._targets[next(iter(self._targets))]
            self._targets[request.url] = target  # saves 4 µs a request
        return self._infer(request, target)

    def _predict(self, request: Request, path: routes.Path) -> bytes | asyncio.Task[bytes]:
        if self.pressure.high:
            return fault(request, self.pressure.refusal())
        invoked = path.pattern == routes.INVOKE
        codec = predict_http.invoked(request) if invoked else predict_http.V1
        named = path.model or (self._meant(request) if invoked else "")
        target = infer_http.Target(model_name(named), version_named(path.version))
        return run_eagerly(
            predict_http.predict(self._engine, self.tally, request, target, codec, self.max_body, self._gate)
        )

    def _meant(self, request: Request) -> str:
        """The model of a path that names none. Strangers are not told how many there are."""
        if self._gate is not None:
            self._gate.caller(*request.credentials())
        models = self._engine.routes.table.models
        if self._default_model or len(models) == 1:
            return self._default_model or next(iter(models))
        raise GatewayError(
            ErrorCode.NOT_FOUND,
            "this path names no model, and not just one is served: set default_model in [gateway], or call "
            "/serving-endpoints/MODEL/invocations",
        )

    def _infer(self, request: Request, target: infer_http.Target) -> bytes | asyncio.Task[bytes]:
        return run_eagerly(
            infer_http.infer(
                self._engine, self.tally, request, target, self.max_body, self._bodies, self._gate
            )
        )

    def _context(self, request: Request, path: routes.Path) -> Context:
        seen: Routes = self._engine.routes
        caller = None
        if self._gate is not None and path.pattern not in routes.OPEN:
            caller = self._gate.caller(*request.credentials())
            seen = Scoped(seen, caller)
        return Context(
            *(seen, self.tally, not self.leaving, request.headers, caller),
            *(self._repository, self._traces, self._neighbours, self._metrics),
        )


def _bind(path: Path) -> socket.socket:
    with contextlib.suppress(FileNotFoundError):
        path.unlink()
    bound = socket.socket(socket.AF_UNIX)
    bound.bind(str(path))
    return bound
