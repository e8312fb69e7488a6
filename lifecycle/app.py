"""The lifecycle controller: its loop, and what workers and nodes call. Runs as one Ray actor.

Everything it must not forget is in its store: Ray starts it again after a crash, and it goes on from there.
It acts only while it holds the store's lease.
"""

import asyncio
import contextlib
import logging
import os
import time
from collections.abc import Awaitable, Callable, Sequence
from concurrent.futures import ThreadPoolExecutor

from gateway.core.capture import CaptureBlock
from gateway.core.delta import RouteDelta
from gateway.core.figures import Figures
from gateway.core.keys import Keyring
from gateway.core.report import WorkerReport
from gateway.core.routing import RouteTable
from gateway.core.summary import Window
from gateway.errors import GatewayError
from gateway.runtime.cycles import CycleCollector
from gateway.server.edge.metrics import EdgeMetrics
from gateway.telemetry.logs import Refrain, log_to_file
from gateway.telemetry.metrics import Metrics
from lifecycle.adapters.metrics import ControlMetrics
from lifecycle.adapters.nodes import NodeReport
from lifecycle.adapters.webhooks import WebhookSender
from lifecycle.api.admin_server import AdminServer
from lifecycle.config import LifecycleConfig
from lifecycle.errors import LifecycleCode, LifecycleError
from lifecycle.parts import assemble
from lifecycle.tenure import Tenure, holder
from lifecycle.wiring import wire

log = logging.getLogger(__name__)

THREADS = 64
"""For commands: most only wait, for the registry or a store. Python's own number is six on two cores."""
WATCH_S = 10.0
"""How long a worker's call for the next table is held open."""
ASK_AGAIN_S = 1.0
"""How often a controller that waits for the lease looks at it."""
CHORES_EVERY_S = 1.0
CHORES_AGAIN_S = 10.0
"""When what failed beside the control loop is tried again."""
LAST_CHECKPOINT_S = 5.0
"""How long the end waits for a checkpoint to be taken; without it, those before stand."""


class Lifecycle:
    """Its parts, its loop, and what workers and nodes call. `config` is of the node it runs on."""

    def __init__(self, config: LifecycleConfig) -> None:
        home = config.gateway.home
        log_to_file(home, "controller", config.gateway.logging)
        self._config = config
        self._parts = parts = assemble(config)
        self._store, self._fleet, self._monitor = parts.store, parts.fleet, parts.monitor
        self._controller, self._dedicated = parts.controller, parts.dedicated
        self._tenure = Tenure(parts.store, holder(home))
        self._keeping = ThreadPoolExecutor(1)  # commands that wait for a store may have every other thread
        starts, unsealed = parts.fleet.starts.copy, parts.checkpointer.unsealed
        self._control = ControlMetrics(parts.store, parts.monitor, parts.estimates, starts, unsealed)
        self._metrics = Metrics(parts.fleet.workers, self._control, EdgeMetrics(parts.nodes.edges))
        desk, self._repository = wire(config, parts, metrics=self._metrics.render, make_way=self._make_way)
        self._retraining, self._loading = desk.retraining, desk.traffic.loading
        self._admin = AdminServer(desk, config.gateway)
        self._tasks: list[asyncio.Task[None]] = []
        loop = asyncio.get_running_loop()
        loop.set_default_executor(ThreadPoolExecutor(THREADS))
        self._writing = loop.create_task(parts.writer.run())
        self._begun = loop.create_task(self._begin())

    async def _begin(self) -> None:
        refrain = Refrain()
        while True:
            try:
                if self._tenure.begin():
                    await self._dedicated.look()
                    self._parts.publisher.publish()
                    self._loading.resume()
                    break
            except LifecycleError as error:
                if refrain.is_news(error.message):
                    log.warning("cannot begin yet: %s", error)
            except Exception as error:  # Serve's own, such as that of a node that just starts again
                if refrain.is_news(repr(error)):
                    log.exception("cannot begin yet")
            await asyncio.sleep(ASK_AGAIN_S)
        senders = (
            WebhookSender(webhook, self._store, self._store.deliveries, time.time)
            for webhook in self._config.webhooks
        )
        chores = (self._repeat(chore) for chore in (self._parts.references.tick, self._checkpoint))
        work = (self._admin.run(), self._loop(), *chores, *(sender.run() for sender in senders))
        self._tasks = [asyncio.create_task(each) for each in work]
        for task in self._tasks:
            task.add_done_callback(_tell)

    async def _loop(self) -> None:
        loop = asyncio.get_running_loop()
        cycles = CycleCollector()  # a registry of thousands is never looked through
        refrain = Refrain()
        while True:
            started, failed = time.monotonic(), False
            try:
                # Before the registry is asked for anything: while it is away, nothing may pile up here.
                windows = self._take_in()
                # First in a thread: if it does not answer, that is met there and not by all who wait here.
                await loop.run_in_executor(self._keeping, self._keep_lease)
                await self._tick(self._parts.clock(), windows)
                if refrain.over():
                    log.info("ticks succeed again")
            # One bad tick must not end the control loop; the next one sees the stored state again.
            except LifecycleError as error:
                failed = True
                if refrain.is_news(error.message):
                    log.error("a tick failed: %s", error)
            except Exception as error:
                failed = True
                if refrain.is_news(repr(error)):
                    log.exception("a tick failed")
            took = time.monotonic() - started
            self._control.ticked(took, failed=failed)
            cycles.sweep()
            await self._controller.wait(self._config.control.tick_s - took)

    def _keep_lease(self) -> None:
        try:
            self._tenure.keep()
        except LifecycleError as error:
            if error.code is not LifecycleCode.CONFLICT:
                raise
            # What this process believes is history. Ray starts it anew, and it waits for its turn.
            log.critical("another controller has taken over; this one stops")
            os._exit(1)

    def _take_in(self) -> list[Window]:
        windows, captures = self._fleet.drain()
        self._metrics.absorb(windows)
        self._monitor.absorb(windows)
        if captures:
            self._parts.writer.add(captures)
        return windows

    async def _tick(self, now: float, windows: Sequence[Window]) -> None:
        self._controller.tick(now, windows)
        await self._dedicated.tick(now)
        await self._monitor.observe(now)
        self._parts.estimates.observe(now)
        await self._retraining.tick(now)

    async def _repeat(self, chore: Callable[[], Awaitable[None]]) -> None:
        """Beside the control loop, for what writes to object stores: a slow one must hold up no rollout."""
        while True:
            waits_s = CHORES_EVERY_S
            try:
                await chore()
            except Exception as error:
                unforeseen = not isinstance(error, LifecycleError)
                log.warning("again in %g s: %s", CHORES_AGAIN_S, error, exc_info=unforeseen)
                waits_s = CHORES_AGAIN_S
            await asyncio.sleep(waits_s)

    async def _checkpoint(self) -> None:
        await asyncio.to_thread(self._parts.checkpointer.tick, self._parts.clock())

    # What workers call; see `gateway.serve.sync`.

    async def watch(self, report: WorkerReport) -> RouteTable | RouteDelta | None:
        await asyncio.shield(self._begun)
        return await self._fleet.watch(report, WATCH_S)

    async def observe(
        self,
        report: WorkerReport,
        windows: Sequence[Window],
        captures: Sequence[CaptureBlock],
        figures: Figures,
    ) -> tuple[int, Keyring]:
        """Returns the newest keys and their generation, so that no worker waits for them."""
        if self._begun.done():
            self._fleet.observe(report, windows, captures, figures.placed)
            if windows or captures:
                self._controller.call()
            self._metrics.absorb_figures(figures)
        return self._fleet.table.generation, self._fleet.table.keys

    async def control(self, verb: str, model: str, actor: str) -> GatewayError | None:
        """Load or unload a model for a V2 client; the refusal, if it is one."""
        return await self._repository.change(verb, model, actor)

    async def leave(self, worker: str) -> None:
        self._fleet.leave(worker)

    async def tell(self, report: NodeReport) -> None:
        """What a node that joined says every second; see `lifecycle.joined`."""
        self._parts.nodes.tell(report)

    async def part(self, node: str) -> None:
        self._parts.nodes.leave(node)

    async def ready(self) -> None:
        """Returns once this controller acts, which may be after another has ended."""
        await asyncio.shield(self._begun)

    async def awaits(self) -> str:
        """The controller that has to end before this one acts; empty if none has."""
        return self._tenure.awaits()

    async def rest(self) -> None:
        """The node is about to go down: Serve must not be asked for anything new."""
        self._dedicated.rest()

    def _make_way(self) -> None:
        log.info("this controller makes way for a new one")
        self._leaving = asyncio.create_task(self.close())
        # Ray then starts this actor anew, with the code that is installed by now.
        self._leaving.add_done_callback(lambda _: os._exit(1))

    async def close(self) -> None:
        """Write what is buffered and let go of the store."""
        await self._retraining.close()
        await self._admin.stop()
        tasks = [self._begun, *self._tasks]
        for task in tasks:
            task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await asyncio.gather(*tasks, return_exceptions=True)
        await self._parts.writer.finish()
        self._writing.cancel()
        with contextlib.suppress(LifecycleError, TimeoutError):
            async with asyncio.timeout(LAST_CHECKPOINT_S):
                await asyncio.to_thread(self._parts.checkpointer.note, time.time())
        self._tenure.end()
        self._store.close()


def _tell(task: asyncio.Task[None]) -> None:
    """Nobody awaits these tasks, which run until they are cancelled: nobody else would hear of their end."""
    if not task.cancelled() and (error := task.exception()) is not None:
        log.critical("a part of the controller has ended by itself", exc_info=error)
