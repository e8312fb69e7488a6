"""Keeps a worker and the lifecycle controller in step: tables down, reports and observations up.

The data plane never waits for any of it: with the controller gone, the last table stays in force.
"""

import asyncio
import logging
from typing import Any

import orjson
import ray

from gateway.config import GatewayConfig
from gateway.core.report import WorkerReport
from gateway.core.routing import RouteTable
from gateway.worker import Worker

log = logging.getLogger(__name__)

CONTROLLER = "lifecycle"
NAMESPACE = "headrace"
"""Name and Ray namespace of the controller's actor.

It answers `watch(report) -> RouteTable | None`, `observe(report, windows, captures) -> (generation, Keyring)`
and `leave(worker)`.
"""

_RETRY_S = 0.5


class RouteSync:
    """Runs beside a worker until cancelled. `saved` is the table's copy for a start without controller."""

    def __init__(self, worker: Worker, config: GatewayConfig) -> None:
        self._worker = worker
        self._saved = config.home / "routes.json"
        self._window_s = config.watching.window_s
        self._tasks: list[asyncio.Task[None]] = []

    async def start(self) -> None:
        """Take the table from the controller, or from disk while there is none; then follow it."""
        try:
            table = await asyncio.wait_for(self._pull(), 5)
        except (TimeoutError, ray.exceptions.RayError, ValueError):
            table = self._load()
        if table is not None:
            await self._apply(table)
        self._tasks = [asyncio.create_task(self._follow()), asyncio.create_task(self._observe())]

    async def stop(self) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        try:
            await self._push()
            await asyncio.wait_for(self._call("leave", self._worker.name), 2)
        except (TimeoutError, ray.exceptions.RayError, ValueError):
            log.info("the controller did not hear this worker leave")

    async def _follow(self) -> None:
        while True:
            try:
                table = await self._pull()
            except (ray.exceptions.RayError, ValueError) as error:
                log.warning("no controller (%s); the last table stays in force", type(error).__name__)
                await asyncio.sleep(_RETRY_S)
                continue
            if table is not None and table.generation != self._worker.routes.table.generation:
                await self._apply(table)

    async def _observe(self) -> None:
        while True:
            await asyncio.sleep(self._window_s)
            try:
                await self._push()
            except (ray.exceptions.RayError, ValueError):
                log.warning("no controller; one window of observations is lost")

    async def _push(self) -> None:
        windows, captures = await asyncio.to_thread(self._worker.collect)
        # Keys also come this way, every window: a pulled table may have to load versions for minutes.
        self._worker.take_keys(*await self._call("observe", self._report(), windows, captures))

    async def _pull(self) -> RouteTable | None:
        table: RouteTable | None = await self._call("watch", self._report())
        return table

    async def _call(self, method: str, *arguments: Any) -> Any:
        # Looked up each time: a restarted controller keeps its name, a new cluster's has another handle.
        actor = ray.get_actor(CONTROLLER, namespace=NAMESPACE)
        return await getattr(actor, method).remote(*arguments)

    async def _apply(self, table: RouteTable) -> None:
        await self._worker.apply(table)
        await asyncio.to_thread(self._save, table)

    def _report(self) -> WorkerReport:
        routes = self._worker.routes
        return WorkerReport(self._worker.name, routes.table.generation, routes.held, routes.failed, 0.0)

    def _save(self, table: RouteTable) -> None:
        part = self._saved.with_suffix(f".{self._worker.name}")
        part.write_bytes(orjson.dumps(table.as_json()))
        part.replace(self._saved)

    def _load(self) -> RouteTable | None:
        try:
            return RouteTable.from_json(orjson.loads(self._saved.read_bytes()))
        except (OSError, ValueError, KeyError, TypeError):
            return None
