"""One gateway worker, wired: the only place where its parts meet. Knows nothing of Ray."""

import asyncio
import itertools
import logging
import math
import os
import secrets
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import psutil

from gateway import ports
from gateway.config import GatewayConfig
from gateway.core.capture import CaptureBlock, blocks
from gateway.core.delta import RouteDelta
from gateway.core.figures import UNUSED, Figures, Refusals
from gateway.core.keys import Keyring
from gateway.core.placement import Placed
from gateway.core.report import WorkerReport
from gateway.core.routing import ModelRoute, RouteTable
from gateway.core.summary import Window, merged
from gateway.core.types import VersionKey
from gateway.pipeline import Pipeline
from gateway.runtime.cycles import CycleCollector
from gateway.runtime.live import LiveRoutes
from gateway.runtime.loader import Loader
from gateway.runtime.memory import budget_bytes
from gateway.runtime.residence import Residence
from gateway.runtime.stages import StageLog
from gateway.server import express
from gateway.server.gate import Gate
from gateway.server.grpc.server import GrpcServer
from gateway.server.http.listener import HttpListener
from gateway.server.neighbours import Neighbours
from gateway.server.service import Service
from gateway.server.tally import Tally
from gateway.telemetry.log_level import LogLevel
from gateway.telemetry.metrics import Metrics
from gateway.telemetry.pairs import Pairs
from gateway.telemetry.request_log import RequestLog
from gateway.telemetry.shadow import ShadowQueue
from gateway.telemetry.tap import TrafficTap
from gateway.telemetry.trace_sampling import TraceSampling

log = logging.getLogger(__name__)
_TURN_S = 0.0001
_SAY_AGAIN_S = 10.0
"""How often it is told where versions run though nothing changed: a controller may have begun anew."""
_GRACE_S = 15.0
"""For requests under way. With all else that a worker does at its end, less than Serve gives it: 20 s."""


class Worker:
    """Loads versions, answers requests on its listeners, and keeps what it saw until it is collected.

    Args:
        dedicated: finds versions that run outside of this process; without it they run within.
        repository: loads and unloads models for clients, where the configuration lets them.
        shared: the folder by which the node's workers share what clients set of logs and traces.
        neighbours: the node's other workers, for statistics of all.
        stages: where `dedicated` notes the runs that it hears of; without it nobody else notes any.
    """

    def __init__(
        self,
        config: GatewayConfig,
        name: str,
        *,
        dedicated: ports.Loader | None = None,
        repository: ports.Repository | None = None,
        shared: Path | None = None,
        neighbours: Neighbours | None = None,
        stages: StageLog | None = None,
    ) -> None:
        self.name = name
        entropy = secrets.token_hex(6)
        watching = config.watching
        self.loader = Loader(config.home / "cache", config.serving, dedicated=dedicated, stages=stages)
        self.tap = TrafficTap(watching, self.loader.profile, np.random.default_rng(int(entropy, 16)))
        serving = config.serving
        budget = budget_bytes(serving.memory_budget_mb, config.workers)
        self.residence = Residence(self.loader, budget, serving.queue, serving.max_load_wait_s)
        self.routes = LiveRoutes(self.residence, on_swap=self.tap.roll)
        self._pairs = Pairs()
        self.tracer = self.traces = None
        if config.tracing is not None:
            from gateway.telemetry.tracing import Tracer  # OpenTelemetry is an extra, and takes memory

            self.traces = TraceSampling(config.tracing.sample_ratio, shared and shared / "traces.json")
            self.tracer = Tracer(config.tracing.endpoint, name, self.traces)
        follow = self.tracer.follow if self.tracer else lambda: None
        self.shadow = ShadowQueue(self.routes, self.tap, self._pairs, watching.shadow_queue, follow)
        self.pipeline = Pipeline(self.routes, self.tap, self.shadow, int(entropy, 16) / 16**12, _ids(entropy))
        self.metrics = Metrics(lambda: [self.report()])
        self._refused = Refusals()
        self._cached = UNUSED
        self._placed: Mapping[VersionKey, Placed] = {}
        self._placed_at = -math.inf
        self._routed: Mapping[str, ModelRoute] = {}
        self._process = psutil.Process()
        self.gate = Gate(config.certificates) if config.identity else None
        control = repository if config.model_control == "explicit" else None
        self._log_level = LogLevel(shared and shared / "log-level")
        self._request_log = RequestLog(config.logging)
        meters: dict[ports.MeterKey, Any] = {}
        self.tap.meters = meters
        self._tally = Tally(self._request_log, self.loader.stages, self.pipeline.caches, meters)
        engine: ports.Engine = self.pipeline
        listener = HttpListener
        if self.tracer is not None:
            from gateway.server.traced import TracedEngine, TracedListener

            engine, listener = TracedEngine(engine, self.tracer), TracedListener
        service = Service(
            engine,
            config.limits,
            tally=self._tally,
            gate=self.gate,
            repository=control,
            log_level=self._log_level,
            traces=self.traces,
            neighbours=neighbours,
            metrics=self.metrics.render,
            default_model=config.default_model,
        )
        if not express.COMPILED:
            log.warning("the express lane is not compiled here, so small requests take four times as long")
        elif self.tracer is None:
            from gateway.server.express.express import Express  # what is compiled may not be there

            service.express = Express(
                self.routes,
                self.pipeline.draws_of,
                meters,
                self.tap.keep,
                self._request_log,
                service.pressure,
                self.gate,
                ids=_prefix(secrets.token_hex(6)),
                seed=int(entropy, 16),
                most=watching.tap_records,
            )
        self.http, self.grpc = listener(service), GrpcServer(service)
        self._cycles: CycleCollector | None = None

    def settle(self) -> None:
        """Call when all is loaded, in a process of its own: cycles are then looked for in `collect` only."""
        self._cycles = CycleCollector()
        # While a thread sums up windows, a request waits this long for its turn, and not Python's 5 ms.
        sys.setswitchinterval(_TURN_S)

    async def apply(self, update: RouteTable | RouteDelta, within_s: float = math.inf) -> None:
        """As `LiveRoutes.apply`. Its keys come first: a revocation waits for no version to load."""
        if update.keys is not None:
            self.take_keys(update.generation, update.keys)
        await self.routes.apply(update, within_s)

    def take_keys(self, generation: int, keys: Keyring) -> None:
        if self.gate is not None:
            self.gate.take(generation, keys)

    def report(self) -> WorkerReport:
        """What the controller is told, as of now."""
        return WorkerReport(
            self.name,
            self.routes.table.generation,
            self.routes.held,
            self.routes.failed,
            self.residence.use,
            connections=self.http.connections,
            resident_bytes=self._process.memory_info().rss,
            no_room=self.routes.no_room,
        )

    def collect(self, *, everything: bool = False) -> tuple[list[Window], list[CaptureBlock], Figures]:
        """What was seen since the last call, or as much of it as goes into one; `everything` is for the end.

        Costs time in proportion to it: call it from a thread.
        """
        now = time.time()
        rolled_out = {model for model, _ in self.routes.held}
        windows, captures = self.tap.drain(now, rolled_out, everything=everything)
        windows = merged([*windows, *self._pairs.drain(now)])
        figures = self._figures()
        self.metrics.absorb(windows)
        self._request_log.tell_left_out()
        self._log_level.refresh()
        if self.traces is not None:
            self.traces.refresh()
        self.metrics.absorb_figures(figures)
        if self._cycles is not None:
            self._cycles.sweep()
        return windows, blocks(captures), figures

    def _figures(self) -> Figures:
        """What happened since the last call beside answers."""
        before = self._refused
        self._refused = Refusals(
            dict(self.pipeline.admission.refused),
            self.http.pressure.refused,
            self.http.refused,
            self.loader.wedged,
            self.shadow.dropped,
            self._pairs.dropped,
        )
        cached, self._cached = self._cached, self.pipeline.caches.use
        models = self.routes.table.models
        if models is not self._routed:
            self._routed = models
            self.pipeline.forget(models)
            self._tally.forget(models)
        runs = self.loader.stages.drain()
        return Figures.of(runs, self._refused.since(before), self._cached.since(cached), self._moved())

    def _moved(self) -> Mapping[VersionKey, Placed] | None:
        """Where versions run, if it is to be told."""
        placed, now = self.residence.placed, time.monotonic()
        if placed == self._placed and now - self._placed_at < _SAY_AGAIN_S:
            return None
        self._placed, self._placed_at = placed, now
        return placed

    async def leave(self) -> None:
        """Say to balancers that new work is to go elsewhere. What comes is still answered."""
        self.http.leave()
        await self.grpc.leave()

    async def finish(self) -> None:
        """Take no new work and finish what is under way, which `collect` then tells."""
        await asyncio.gather(self.http.drain(_GRACE_S), self.grpc.stop(_GRACE_S))
        await self.shadow.stop()

    async def close(self) -> None:
        """Let go of everything. To be called after `finish`."""
        await self.routes.close()
        await self.loader.close()
        if self.tracer is not None:
            await asyncio.to_thread(self.tracer.close)
        if self._cycles is not None:
            self._cycles.stop()

    async def drain(self) -> None:
        """`finish`, then `close`."""
        await self.finish()
        await self.close()


def _ids(entropy: str) -> Callable[[], str]:
    """Prediction ids: process and random part once, then a counter; 0.2 µs each.

    All are equally long, those of the express lane too: no worker answers as many as twelve digits hold.
    """
    prefix = _prefix(entropy)
    count = itertools.count(1)
    return lambda: f"{prefix}{next(count):012x}"


def _prefix(entropy: str) -> str:
    return f"{os.getpid():x}{entropy}-"
