"""Copies of answered requests, run by shadow versions when the loop has time. Nobody waits for them."""

import asyncio
import contextlib
import logging
import time
from collections.abc import Callable

from gateway.core.signature import check
from gateway.core.types import InferRequest, InferResponse, Outcome, Role
from gateway.errors import ErrorCode, GatewayError
from gateway.ports import Routes, Tap
from gateway.telemetry.pairs import Pairs

log = logging.getLogger(__name__)

_NO_FAULT = {ErrorCode.OVERLOADED, ErrorCode.NOT_READY}
"""Live traffic has the threads, or the version is not loaded yet: no evidence against the shadow."""

Copied = Callable[[str, int, Outcome, int], None]
"""Is told of a copy: model, version, outcome, latency in ns."""
_Copy = tuple[InferRequest, InferResponse, int, Copied | None]


class ShadowQueue:
    """Implements `ports.Shadow`.

    Args:
        pairs: takes a shadow's answer together with the champion's.
        most: copies that may wait; more are dropped and counted in `dropped`.
        follow: gives what is to be told of the copies of the request under way, if anything is.
    """

    def __init__(
        self,
        routes: Routes,
        tap: Tap,
        pairs: Pairs,
        most: int,
        follow: Callable[[], Copied | None] = lambda: None,
    ) -> None:
        self._follow = follow
        self.dropped = 0
        self._pairs = pairs
        self._routes = routes
        self._tap = tap
        self._queue: asyncio.Queue[_Copy] = asyncio.Queue(most)
        self._task: asyncio.Task[None] | None = None

    def submit(self, request: InferRequest, response: InferResponse, shadows: tuple[int, ...]) -> None:
        copied = self._follow()
        for version in shadows:
            if version == response.version:
                continue
            try:
                self._queue.put_nowait((request, response, version, copied))
            except asyncio.QueueFull:
                self.dropped += 1

    async def start(self) -> None:
        self._task = asyncio.create_task(self._work())

    async def stop(self) -> None:
        """Stop at once; what waits is not run."""
        if self._task is not None:
            self._task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._task
            self._task = None

    async def idle(self) -> None:
        """Wait until every copy submitted so far has run."""
        await self._queue.join()

    async def _work(self) -> None:
        while True:
            request, response, version, copied = await self._queue.get()
            try:
                await self._copy(request, response, version, copied)
            except Exception:
                log.exception("a copy for shadow version %d of %s fails", version, request.model)
            finally:
                self._queue.task_done()
            await asyncio.sleep(0)  # live requests first: an inline run does not suspend

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
