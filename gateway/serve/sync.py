"""Keeps a worker and the lifecycle controller in step: tables down, reports and observations up.

The data plane never waits for any of it: with the controller gone, the last table stays in force.
"""

import asyncio
import logging
from typing import Any

import ray

from gateway.config import GatewayConfig
from gateway.core.delta import RouteDelta
from gateway.core.routing import RouteTable
from gateway.serve.saved import SavedRoutes
from gateway.worker import Worker

log = logging.getLogger(__name__)

CONTROLLER = "lifecycle"
NAMESPACE = "headrace"
"""Name and Ray namespace of the controller's actor.

It answers `watch(report) -> RouteTable | RouteDelta | None`, `leave(worker)`, and
`observe(report, windows, captures, figures) -> (generation, Keyring)`; and for clients that load models
`ready()` and `control(verb, model, actor) -> refusal`.
"""

_RETRY_S = 0.5
_LEAVE_WITHIN_S = 3.0

_LIVE = 4
"""Windows are so many times shorter while a rollout waits for what they say."""


class RouteSync:
    """Runs beside a worker until cancelled."""

    def __init__(self, worker: Worker, config: GatewayConfig) -> None:
        self._worker = worker
        self._saved = SavedRoutes(config.home / "routes.db")
        self._warm_start_s = config.serving.warm_start_s
        self._window_s = config.watching.window_s
        self._applied = asyncio.Event()
        self._tasks: list[asyncio.Task[None]] = []

    async def start(self) -> None:
        """Take the table from the controller, or from disk while there is none; then follow it."""
        try:
            update = await asyncio.wait_for(self._pull(), 5)
        except (TimeoutError, ray.exceptions.RayError, ValueError):
            update = await asyncio.to_thread(self._saved.load)
        if update is not None:
            await self._apply(update)
        beside = (self._follow(), self._observe(), self._fill())
        self._tasks = [asyncio.create_task(work) for work in beside]

    async def stop(self) -> None:
        """Cease to follow; tell what was seen to the end, and that there will be no more."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        try:
            async with asyncio.timeout(_LEAVE_WITHIN_S):  # a call waits for an actor that starts again
                await self._push(everything=True)
                await self._call("leave", self._worker.name)
        except (TimeoutError, ray.exceptions.RayError, ValueError):
            log.info("the controller did not hear this worker leave")

    async def _follow(self) -> None:
        while True:
            try:
                update = await self._pull()
            except (ray.exceptions.RayError, ValueError) as error:
                log.warning("no controller (%s); the last table stays in force", type(error).__name__)
                await asyncio.sleep(_RETRY_S)
                continue
            if update is None or update.generation == self._worker.routes.table.generation:
                continue
            try:
                await self._apply(update)
            except Exception:  # ours: a worker that ceased to follow would serve what it has for ever
                log.exception("table %d could not be applied; the last one stays in force", update.generation)
                await asyncio.sleep(_RETRY_S)

    async def _observe(self) -> None:
        while True:
            live = any(route.held for route in self._worker.routes.table.models.values())
            await asyncio.sleep(self._window_s / (_LIVE if live else 1))
            try:
                await self._push()
            except (ray.exceptions.RayError, ValueError):
                log.warning("no controller; one window of observations is lost")
            except Exception:  # ours: a worker that ceased to tell what it sees would still look sound
                log.exception("one window of observations is lost")

    async def _push(self, *, everything: bool = False) -> None:
        seen = await asyncio.to_thread(self._worker.collect, everything=everything)
        # Keys also come this way, every window: a pulled table may have to load versions for minutes.
        self._worker.take_keys(*await self._call("observe", self._worker.report(), *seen))

    async def _pull(self) -> RouteTable | RouteDelta | None:
        update: RouteTable | RouteDelta | None = await self._call("watch", self._worker.report())
        return update

    async def _call(self, method: str, *arguments: Any) -> Any:
        # Beside the loop: it waits for Ray's directory, and then packs up to a megabyte.
        return await (await asyncio.to_thread(_send, method, arguments))

    async def _apply(self, update: RouteTable | RouteDelta) -> None:
        await self._worker.apply(update, self._warm_start_s)
        self._applied.set()
        await asyncio.to_thread(self._saved.keep, update, self._worker.routes.given)

    async def _fill(self) -> None:
        while True:
            await self._applied.wait()
            self._applied.clear()
            await self._worker.routes.fill()


def _send(method: str, arguments: tuple[Any, ...]) -> Any:
    # Looked up each time: a restarted controller keeps its name, a new cluster's has another handle.
    return getattr(ray.get_actor(CONTROLLER, NAMESPACE), method).remote(*arguments)
