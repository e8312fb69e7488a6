"""What the answer to a question about models may look at, whichever protocol asks."""

from collections.abc import Callable, Mapping
from contextvars import ContextVar
from types import MappingProxyType
from typing import NamedTuple

from gateway.core.keys import Key
from gateway.ports import Repository, Routes
from gateway.server.neighbours import Neighbours
from gateway.server.tally import Tally
from gateway.telemetry.log_level import LogLevel
from gateway.telemetry.trace_sampling import TraceSampling

CALLER_HEADERS: ContextVar[Mapping[bytes, bytes]] = ContextVar("caller_headers", default=MappingProxyType({}))
"""Of the inference that is being answered, for its span. HTTP notes them only where tracing is on."""


class Context(NamedTuple):
    """Of one request.

    Args:
        routes: without what the caller may not see.
        ready: whether new work is taken.
        headers: the request's, or its metadata; names are lower-case.
        caller: None without identity.
        repository: does what clients may load and unload; None refuses it.
        log_level: what clients may set of the log.
        traces: what clients may set of tracing; None where it is not configured.
        neighbours: the node's other workers; None for none.
        metrics: the text of `GET /metrics`.
    """

    routes: Routes
    tally: Tally
    ready: bool
    headers: Mapping[bytes, bytes] = MappingProxyType({})
    caller: Key | None = None
    repository: Repository | None = None
    log_level: LogLevel = LogLevel()
    traces: TraceSampling | None = None
    neighbours: Neighbours | None = None
    metrics: Callable[[], bytes] = bytes
