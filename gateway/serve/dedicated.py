"""Versions that run in a Serve application of their own, as a worker reaches them: by one cached handle each.

A run that its replica did not survive is tried again: inference may be repeated, and Serve starts another.
Where that one cannot load the version, requests are refused at once until some process can.
"""

import asyncio
import logging
import time
from collections.abc import Callable, Mapping
from typing import Any

import ray
from ray import serve
from ray.serve.exceptions import BackPressureError, RayServeException
from ray.serve.handle import DeploymentHandle

from gateway import ports
from gateway.config import Dedicated, Serving
from gateway.core.placement import Placed, Placement, application_name
from gateway.core.routing import VersionEntry
from gateway.core.types import Array, VersionKey
from gateway.errors import ErrorCode, GatewayError, late
from gateway.runtime.failures import not_ready
from gateway.runtime.pool import overloaded
from gateway.runtime.stages import StageLog
from gateway.serve.replica import START_S, Ready, Refusal, Reply
from gateway.serve.starting import answers, given_up

log = logging.getLogger(__name__)

ATTEMPTS = 3
"""Of a run whose replica ends: one that ends every replica must not end many."""
_POLL_S = 0.25
_LOOK_S = 5.0
"""How often an application is looked at: whether its processes run the version, or will not come."""
_MOST_LOOK_S = 60.0
"""How often in the end, if no process loads it: each look is another load."""


class DedicatedLoader:
    """Implements `ports.Loader`: finds the application, which somebody else starts and ends.

    Args:
        stages: is told of the runs that replicas tell of.
        note_lost: is told why no process runs a version now that did, and by None that one does again.
    """

    def __init__(
        self,
        serving: Serving,
        own: Dedicated,
        stages: StageLog,
        note_lost: Callable[[VersionKey, GatewayError | None], None],
    ) -> None:
        self._serving = serving
        self._own = own
        self._stages = stages
        self._note_lost = note_lost
        self._watches: dict[ports.LoadedVersion, asyncio.Task[None]] = {}

    async def load(self, model: str, entry: VersionEntry) -> "DedicatedVersion":
        """Raises GatewayError INTERNAL if the version does not load there, or its process does not start,
        and `NoRoom` if Ray has none for it."""
        name = application_name(model, entry.version, entry.digest)
        # The controller names an application once it runs, so only a node that starts waits for long.
        ends = time.monotonic() + START_S
        while time.monotonic() < ends:
            if reason := await asyncio.to_thread(self._given_up, name):
                raise reason
            try:
                handle = await asyncio.to_thread(serve.get_app_handle, name)
                ready = await asyncio.wait_for(_ready(handle), min(ends - time.monotonic(), _LOOK_S))
                version = DedicatedVersion(model, entry, handle, ready, self._serving, self._stages)
                self._watches[version] = asyncio.create_task(self._watch(name, handle, version))
                return version
            except (RayServeException, ray.exceptions.RayError, TimeoutError):
                await asyncio.sleep(_POLL_S)
        raise GatewayError(
            ErrorCode.INTERNAL,
            "its own process takes too long to start; `headrace logs` or the logs of Ray Serve say why",
        )

    def _given_up(self, name: str) -> GatewayError | None:
        found = serve.status().applications.get(name)
        return None if answers(found) else given_up(found, self._own)

    async def _watch(self, name: str, handle: DeploymentHandle[Any], version: "DedicatedVersion") -> None:
        pause = _LOOK_S
        while True:
            await asyncio.sleep(pause)
            try:
                error = await self._lost(name, handle)
            except (RayServeException, ray.exceptions.RayError, TimeoutError):
                continue  # one is starting, or loads, or has no time to answer
            except Exception:  # ours: a version that nobody looks at would be refused for ever
                log.exception("%s cannot be looked at", name)
                continue
            pause = min(2 * pause, _MOST_LOOK_S) if error else _LOOK_S
            reason = error.message if error else ""
            if reason != version.lost:
                version.lose(reason)
                self._note_lost(version.key, error)

    async def _lost(self, name: str, handle: DeploymentHandle[Any]) -> GatewayError | None:
        if error := await asyncio.to_thread(self._given_up, name):
            return error
        try:
            await asyncio.wait_for(_ready(handle), _LOOK_S)
        except GatewayError as error:
            return error
        return None

    def unload(self, model: str, version: ports.LoadedVersion) -> None:
        """Look no more. The application ends when no worker holds the version."""
        if watch := self._watches.pop(version, None):
            watch.cancel()


async def _ready(handle: DeploymentHandle[Any]) -> Ready:
    reply: Ready | Refusal = await handle.ready.remote()
    if isinstance(reply, Ready):
        return reply
    raise GatewayError(*reply)


class DedicatedVersion:
    """Implements `ports.LoadedVersion`."""

    def __init__(
        self,
        model: str,
        entry: VersionEntry,
        handle: DeploymentHandle[Any],
        ready: Ready,
        serving: Serving,
        stages: StageLog,
    ) -> None:
        self.entry = entry
        self.key = (model, entry.version)
        self.lost = ""
        self._until_lost: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._stages = stages
        self._note = stages.of(self.key)
        self.batching, self.device, run_ns = ready
        self.placed = Placed(Placement.DEDICATED, run_ns)
        self.signature = entry.signature
        # Kept: each `handle.run` would build another handle.
        self._remote: Callable[..., Any] = handle.run.remote
        self._most = serving.queue
        self._patience_ns = int(2 * serving.max_run_s * 1e9)
        self.size_bytes = 0  # of this process's memory
        self.running = 0

    async def run(
        self, inputs: Mapping[str, Array], outputs: tuple[str, ...], deadline_ns: int
    ) -> dict[str, Array]:
        if self.lost:
            raise self._refusal()
        if self.running >= self._most:
            raise overloaded()
        self.running += 1
        try:
            return await self._run(inputs, outputs, deadline_ns or time.monotonic_ns() + self._patience_ns)
        finally:
            self.running -= 1

    async def _run(
        self, inputs: Mapping[str, Array], outputs: tuple[str, ...], ends_ns: int
    ) -> dict[str, Array]:
        for _ in range(ATTEMPTS):
            try:
                return self._heard(await self._call(inputs, outputs, ends_ns - time.monotonic_ns()))
            except ray.exceptions.RayActorError:
                continue
            except BackPressureError:
                raise overloaded() from None
            except (RayServeException, ray.exceptions.RayError):
                break
        raise GatewayError(ErrorCode.NOT_READY, "the model's own process ended; try again in a moment")

    async def _call(self, inputs: Mapping[str, Array], outputs: tuple[str, ...], left_ns: int) -> Reply:
        if left_ns <= 0:
            raise late()
        response = self._remote(dict(inputs), outputs, left_ns)
        answering: asyncio.Future[Reply] = asyncio.ensure_future(response)
        try:
            either: set[asyncio.Future[Any]] = {answering, self._until_lost}
            await asyncio.wait(either, timeout=left_ns / 1e9, return_when=asyncio.FIRST_COMPLETED)
            if answering.done():
                return answering.result()
            raise self._refusal() if self.lost else late()
        finally:
            if not answering.done():  # the deadline has passed, the caller has gone, or nobody will answer
                answering.add_done_callback(_unheard)
                response.cancel()
                answering.cancel()

    def lose(self, reason: str) -> None:
        """Refuse what comes and what waits, since no process runs the version; without a reason one does."""
        self.lost = reason
        if reason:
            if not self._until_lost.done():
                self._until_lost.set_result(None)
        else:
            self._until_lost = asyncio.get_running_loop().create_future()

    def _refusal(self) -> GatewayError:
        return not_ready(self.key, ErrorCode.INTERNAL, self.lost)

    def _heard(self, reply: Reply) -> dict[str, Array]:
        for run in reply.runs:
            self._note(run)
        self._stages.wedged_elsewhere += reply.wedged
        if isinstance(reply.answer, dict):
            return reply.answer
        raise GatewayError(*reply.answer)


def _unheard(answering: "asyncio.Future[Reply]") -> None:
    """Take what became of a call that was given up: asyncio would log it as an error that nobody took."""
    if not answering.cancelled():
        answering.exception()
