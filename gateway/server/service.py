"""What a worker's servers have in common, whichever protocol they speak."""

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Protocol

from gateway.config import Limits
from gateway.core.keys import Key
from gateway.core.types import InferRequest, InferResponse
from gateway.ports import Engine, Repository, Routes
from gateway.protocols.answer_form import AnswerForm
from gateway.server.context import Context
from gateway.server.gate import Gate, Scoped
from gateway.server.http.connection import Watch
from gateway.server.http.message import Request
from gateway.server.neighbours import Neighbours
from gateway.server.pressure import Pressure
from gateway.server.tally import Tally
from gateway.telemetry.log_level import LogLevel
from gateway.telemetry.trace_sampling import TraceSampling


class Poller(Protocol):
    """Reads connections whose requests go the express lane; see `express.poller`."""

    def watch(self, descriptor: int, returned: Callable[[bytes, bytes], None]) -> Watch: ...

    def close(self) -> None: ...


class Express(Protocol):
    """A shorter way for requests like some that went the usual one."""

    @property
    def answer(self) -> Callable[[bytes], bytes | None]:
        """Gives the answer to a whole request, None for one that must go the usual way."""
        ...

    def poller(self, loop: asyncio.AbstractEventLoop) -> Poller: ...

    def learn(
        self, request: Request, asked: InferRequest, form: AnswerForm, response: InferResponse, reply: bytes
    ) -> None: ...


@dataclass(slots=True)
class Service:
    """The engine, and what is asked beside it.

    Args:
        tally: one, so that all servers tell the same counts.
        gate: asked before anything but health is answered; None lets everybody in.
        repository: does what clients may load and unload; None refuses it.
        log_level: what clients may set of the log.
        traces: what clients may set of tracing; None refuses it.
        neighbours: the node's other workers, whose statistics are added to this one's; None for none.
        metrics: the text of `GET /metrics`.
        default_model: asked for by paths that name none; "" for the only one that is served.
    """

    engine: Engine
    limits: Limits
    tally: Tally = field(default_factory=Tally)
    gate: Gate | None = None
    repository: Repository | None = None
    log_level: LogLevel = field(default_factory=LogLevel)
    traces: TraceSampling | None = None
    neighbours: Neighbours | None = None
    metrics: Callable[[], bytes] = bytes
    default_model: str = ""
    max_body: int = field(init=False)
    """Bytes of a body, before and after it is inflated."""
    express: Express | None = field(init=False, default=None)
    """Set by whoever wires a worker, where it is compiled."""
    pressure: Pressure = field(init=False)
    """Of the loop that all servers run in; no inference is taken while it is high."""

    def __post_init__(self) -> None:
        self.max_body = self.limits.max_body_mb * 2**20
        self.pressure = Pressure(self.limits.max_lag_ms / 1e3)

    def caller(self, headers: Mapping[bytes, bytes]) -> Key | None:
        """Whose key the headers hold, None without identity. Raises as `Gate.caller`."""
        return None if self.gate is None else self.gate.caller(headers)

    def context(self, headers: Mapping[bytes, bytes], *, ready: bool, everybody: bool) -> Context:
        """Of one request. Unless it is open to `everybody` it needs a key: raises as `Gate.caller`."""
        routes: Routes = self.engine.routes
        caller = None if everybody else self.caller(headers)
        if caller is not None:
            routes = Scoped(routes, caller)
        return Context(
            routes=routes,
            tally=self.tally,
            ready=ready,
            headers=headers,
            caller=caller,
            repository=self.repository,
            log_level=self.log_level,
            traces=self.traces,
            neighbours=self.neighbours,
            metrics=self.metrics,
        )
