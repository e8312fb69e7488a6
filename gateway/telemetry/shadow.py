"""Copies of answered requests, run by shadow versions when the loop has time. Nobody waits for them.

Each version's copies run one after the other, whatever those of others do: one that hangs loses only its own.
"""

import asyncio
import logging
import time
from collections import deque
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from gateway.core.signature import check
from gateway.core.types import InferRequest, InferResponse, Outcome, Role, VersionKey, memory_of
from gateway.errors import ErrorCode, GatewayError
from gateway.ports import Routes, Tap
from gateway.telemetry.pairs import Pairs

log = logging.getLogger(__name__)

_NO_FAULT = {ErrorCode.OVERLOADED, ErrorCode.NOT_READY}
"""Live traffic has the threads, or the version is not loaded yet: no evidence against the shadow."""

Copied = Callable[[str, int, Outcome, int], None]
"""Is told of a copy: model, version, outcome, latency in ns."""

MOST_BYTES = 64 * 2**20
"""Tensors that copies hold while they wait."""


class _Copy(NamedTuple):
    request: InferRequest
    response: InferResponse
    copied: Copied | None
    size: int


@dataclass(slots=True, eq=False)
class _Lane:
    """One version's copies that wait; `size` is their tensors' bytes."""

    model: str
    version: int
    waiting: deque[_Copy] = field(default_factory=deque)
    size: int = 0


class ShadowQueue:
    """Implements `ports.Shadow`.

    Args:
        pairs: takes a shadow's answer together with the champion's.
        most: copies that may wait, of one version as many as then are left for others; more are dropped and
            counted in `dropped`. The same holds for bytes.
        follow: gives what is to be told of the copies of the request under way, if anything is.
    """

    def __init__(
        self,
        routes: Routes,
        tap: Tap,
        pairs: Pairs,
        most: int,
        follow: Callable[[], Copied | None] = lambda: None,
        most_bytes: int = MOST_BYTES,
    ) -> None:
        self._follow = follow
        self.dropped = 0
        self._pairs = pairs
        self._routes = routes
        self._tap = tap
        self._room = most
        self._room_bytes = most_bytes
        self._lanes: dict[VersionKey, _Lane] = {}
        """Those with copies that wait or run."""
        self._next: asyncio.Queue[_Lane] = asyncio.Queue()
        """Lanes with a copy to run, none of which runs."""
        self._tasks: set[asyncio.Task[None]] = set()

    def submit(self, request: InferRequest, response: InferResponse, shadows: tuple[int, ...]) -> None:
        copied = self._follow()
        sides = (request.inputs, response.outputs)
        size = sum([memory_of(array) for side in sides for array in side.values()])
        for version in shadows:
            if version != response.version:
                self._wait(request.model, version, _Copy(request, response, copied, size))

    def _wait(self, model: str, version: int, copy: _Copy) -> None:
        lane = self._lanes.get((model, version)) or _Lane(model, version)
        # Never more than what it leaves for others: a version that does not keep up fills half of it at most.
        if len(lane.waiting) >= self._room or lane.size + copy.size > self._room_bytes:
            self.dropped += 1
            return
        self._room -= 1
        self._room_bytes -= copy.size
        lane.waiting.append(copy)
        lane.size += copy.size
        if (model, version) not in self._lanes:
            self._lanes[model, version] = lane
            self._next.put_nowait(lane)

    async def start(self) -> None:
        self._run(self._work())

    async def stop(self) -> None:
        """Stop at once; what waits is not run."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def idle(self) -> None:
        """Wait until every copy submitted so far has run."""
        await self._next.join()

    def _run(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _work(self) -> None:
        while True:
            lane = await self._next.get()
            self._run(self._turn(lane))
            await asyncio.sleep(0)  # live requests first: an inline run does not suspend

    async def _turn(self, lane: _Lane) -> None:
        copy = lane.waiting.popleft()
        lane.size -= copy.size
        self._room += 1
        self._room_bytes += copy.size
        try:
            await self._copy(copy.request, copy.response, lane.version, copy.copied)
        except Exception:
            log.exception("a copy for shadow version %d of %s fails", lane.version, lane.model)
        finally:
            if lane.waiting:
                self._next.put_nowait(lane)
            else:
                del self._lanes[lane.model, lane.version]
            self._next.task_done()

    async def _copy(
        self, request: InferRequest, response: InferResponse, version: int, copied: Copied | None
    ) -> None:
        outcome, outputs = Outcome.SERVER_ERROR, None
        started = time.monotonic_ns()
        try:
            loaded = self._routes.loaded(request.model, version)
            if loaded is None:
                loaded = await self._routes.load(request.model, version, 0)
            check(request.inputs, (), loaded.signature)
            outputs = await loaded.run(request.inputs, (), 0)
            outcome = Outcome.INVALID_OUTPUT if loaded.entry.invalid(outputs) else Outcome.OK
        except GatewayError as error:
            # INVALID counts too: the primary answered this request, and the shadow would not.
            if error.code in _NO_FAULT:
                self.dropped += 1
                return
        latency_ns = time.monotonic_ns() - started
        self._tap.record(request, version, Role.SHADOW, outcome, latency_ns, outputs, response.prediction_id)
        if copied is not None:
            copied(request.model, version, outcome, latency_ns)
        if outputs is not None and response.role is Role.CHAMPION:
            generation = self._routes.table.generation
            self._pairs.add((request.model, version, Role.SHADOW, generation), response.outputs, outputs)
