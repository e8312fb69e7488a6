"""The lifecycle controller, wired: the only place where its parts meet. Runs as one Ray actor.

Everything it must not forget is in its store: Ray starts it again after a crash, and it goes on from there.
It acts only while it holds the store's lease.
"""

import asyncio
import contextlib
import logging
import os
import time
from collections.abc import Awaitable, Callable, Sequence

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
from gateway.telemetry.logs import log_to_file
from gateway.telemetry.metrics import Metrics
from lifecycle.adapters.applications import ServeApplications
from lifecycle.adapters.artifacts import FileArtifacts
from lifecycle.adapters.captures.log import ParquetCaptures
from lifecycle.adapters.captures.writer import CaptureWriter
from lifecycle.adapters.checkpoints import FileCheckpoints, public_text, signing_key
from lifecycle.adapters.clock import Clock
from lifecycle.adapters.fleet import WorkerFleet
from lifecycle.adapters.metrics import ControlMetrics
from lifecycle.adapters.nodes import ClusterNodes, NodeReport
from lifecycle.adapters.profiles import Profiles
from lifecycle.adapters.sandbox.process import ProcessSandbox
from lifecycle.adapters.sql.store import SqlStore
from lifecycle.adapters.webhooks import WebhookSender
from lifecycle.api.admin_server import AdminServer
from lifecycle.commands.calendar import Calendar
from lifecycle.commands.checkpoints import Checkpointer
from lifecycle.commands.dedicated import Dedicated
from lifecycle.commands.publish import Publisher
from lifecycle.commands.references import LiveReferences
from lifecycle.commands.trial import Trial
from lifecycle.config import LifecycleConfig
from lifecycle.controller import Controller
from lifecycle.core.checkpoint import Rhythm
from lifecycle.errors import LifecycleCode, LifecycleError
from lifecycle.estimates import Estimates
from lifecycle.monitor import Monitor
from lifecycle.office import Parts, furnish
from lifecycle.tenure import Tenure, holder, node_name

log = logging.getLogger(__name__)

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
        self._clock = Clock()
        self._store = SqlStore(config.store_url)
        self._tenure = Tenure(self._store, holder(home))
        self._artifacts = FileArtifacts(config.artifacts_uri, home / "cache")
        signer = signing_key(config.keys_dir)
        self._checkpoints = FileCheckpoints(config.checkpoints_uri, public_text(signer), signer)
        rhythm = Rhythm(config.ledger.checkpoint_every_records, config.ledger.checkpoint_every_s)
        self._checkpointer = Checkpointer(self._store, self._checkpoints, rhythm)
        kept = config.captures
        self._captures = ParquetCaptures(
            home / "captures",
            keep_bytes=kept.keep_mb << 20,
            keep_total_bytes=kept.keep_total_mb << 20,
            keep_s=kept.keep_days * 86_400,
            horizon_s=config.labels.horizon_days * 86_400,
        )
        self._fleet = WorkerFleet(self._clock)
        self._profiles = Profiles(self._store, self._artifacts)
        self._publisher = Publisher(self._store, self._fleet)
        self._nodes = ClusterNodes(config, node_name(config.gateway), time.monotonic)
        self._serve = ServeApplications(lambda: self._nodes.own)
        self._dedicated = Dedicated(self._publisher, self._fleet, self._serve)
        freezes = tuple(window.freeze() for window in config.governance.freezes)
        self._calendar = Calendar(self._store, freezes, time.time)  # a calendar is of the wall clock
        self._monitor = Monitor(self._store, self._captures, self._profiles.of)
        live_rows = config.drift.live_reference_rows
        self._references = LiveReferences(
            *(self._store, self._artifacts, self._publisher, self._captures.first, self._referred, live_rows)
        )
        self._writer = CaptureWriter(self._captures, self._references.count)
        self._writing = asyncio.get_running_loop().create_task(self._writer.run())
        self._controller = Controller(
            *(self._store, self._fleet, self._publisher, self._profiles.bins),
            lambda model: self._calendar.freeze(model) is not None,
            self._monitor.late,
        )
        trial = Trial(
            *(self._artifacts, ProcessSandbox(), self._captures, self._profiles.reference),
            config.validation.limits,
        )
        self._estimates = Estimates(self._store, self._captures, trial.reference)
        self._control = ControlMetrics(
            *(self._store, self._monitor, self._estimates),
            *(self._fleet.starts.copy, self._checkpointer.unsealed),
        )
        self._metrics = Metrics(self._fleet.workers, self._control, EdgeMetrics(self._nodes.edges))
        desk, self._repository = furnish(
            config,
            Parts(
                *(self._store, self._artifacts, self._captures, self._fleet, self._publisher, self._profiles),
                *(self._calendar, self._monitor, self._estimates, self._controller, trial),
                *(self._checkpoints, self._clock, self._nodes),
            ),
            metrics=self._metrics.render,
            renew=self._dedicated.renew,
            make_way=self._make_way,
        )
        self._retraining, self._loading = desk.retraining, desk.traffic.loading
        self._admin = AdminServer(desk, config.gateway)
        self._tasks: list[asyncio.Task[None]] = []
        self._begun = asyncio.get_running_loop().create_task(self._begin())

    async def _begin(self) -> None:
        while True:
            try:
                if self._tenure.begin():
                    await self._dedicated.look()
                    self._publisher.publish()
                    self._loading.resume()
                    break
            except LifecycleError as error:
                log.warning("cannot begin yet: %s", error)
            except Exception:  # Serve's own, such as that of a node that just starts again
                log.exception("cannot begin yet")
            await asyncio.sleep(ASK_AGAIN_S)
        senders = (
            WebhookSender(webhook, self._store, self._store.deliveries, time.time)
            for webhook in self._config.webhooks
        )
        chores = (self._repeat(chore) for chore in (self._references.tick, self._checkpoint))
        work = (self._admin.run(), self._loop(), *chores, *(sender.run() for sender in senders))
        self._tasks = [asyncio.create_task(each) for each in work]
        for task in self._tasks:
            task.add_done_callback(_tell)

    def _referred(self, model: str, version: int) -> None:
        self._profiles.forget(model, version)
        self._monitor.forget(model)

    async def _loop(self) -> None:
        cycles = CycleCollector()  # a registry of thousands is never looked through
        while True:
            started, failed = time.monotonic(), False
            try:
                # Before the registry is asked for anything: while it is away, nothing may pile up here.
                windows = self._take_in()
                # First in a thread: if it does not answer, that is met there and not by all who wait here.
                await asyncio.to_thread(self._keep_lease)
                await self._tick(self._clock(), windows)
            except Exception:
                # One bad tick must not end the control loop; the next one sees the stored state again.
                log.exception("a tick failed")
                failed = True
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
            self._writer.add(captures)
        return windows

    async def _tick(self, now: float, windows: Sequence[Window]) -> None:
        self._controller.tick(now, windows)
        await self._dedicated.tick(now)
        await self._monitor.observe(now)
        self._estimates.observe(now)
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
        await asyncio.to_thread(self._checkpointer.tick, self._clock())

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
            self._fleet.observe(report, windows, captures)
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
        self._nodes.tell(report)

    async def part(self, node: str) -> None:
        self._nodes.leave(node)

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
        await self._writer.finish()
        self._writing.cancel()
        with contextlib.suppress(LifecycleError, TimeoutError):
            async with asyncio.timeout(LAST_CHECKPOINT_S):
                await asyncio.to_thread(self._checkpointer.note, time.time())
        self._tenure.end()
        self._store.close()


def _tell(task: asyncio.Task[None]) -> None:
    """Nobody awaits these tasks, which run until they are cancelled: nobody else would hear of their end."""
    if not task.cancelled() and (error := task.exception()) is not None:
        log.critical("a part of the controller has ended by itself", exc_info=error)
