"""A worker beside a controller that comes and goes. The actor is a fake; the worker is real."""

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine, Generator
from dataclasses import replace
from functools import partial
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import ray

from gateway.config import GatewayConfig, Watching
from gateway.core.capture import Capture
from gateway.core.delta import RouteDelta, difference
from gateway.core.figures import Figures
from gateway.core.keys import NO_KEYS, Keyring
from gateway.core.report import WorkerReport
from gateway.core.routing import ModelRoute, RouteTable, VersionEntry
from gateway.core.summary import Window
from gateway.core.types import InferRequest
from gateway.serve import sync
from gateway.serve.saved import SavedRoutes
from gateway.worker import Worker

Call = Callable[..., Coroutine[Any, Any, Any]]


class Answer:
    """What an actor's call gives at once: the answer is there when it was waited for."""

    def __init__(self, call: Call, *arguments: Any) -> None:
        self._answer = partial(call, *arguments)

    def __await__(self) -> Generator[Any, Any, Any]:
        return self._answer().__await__()


class Controller:
    """The actor that workers look up by its name, while there is one."""

    def __init__(self) -> None:
        self.alive = self.hangs = False
        self.table: RouteTable | RouteDelta | None = None
        self.reports: asyncio.Queue[WorkerReport] = asyncio.Queue()
        self.seen: list[Window] = []
        self.left: list[str] = []
        self.keys: tuple[int, Keyring] = (0, NO_KEYS)
        self.observed = asyncio.Event()
        self._changed = asyncio.Event()

    def find(self, name: str, namespace: str) -> SimpleNamespace:
        if not self.alive or (name, namespace) != (sync.CONTROLLER, sync.NAMESPACE):
            raise ValueError("no such actor")
        calls: dict[str, Call] = {"watch": self.watch, "observe": self.observe, "leave": self.leave}
        return SimpleNamespace(
            **{name: SimpleNamespace(remote=partial(Answer, call)) for name, call in calls.items()}
        )

    async def watch(self, report: WorkerReport) -> RouteTable | RouteDelta | None:
        self.reports.put_nowait(report)
        while self.alive and (self.table is None or self.table.generation == report.generation):
            self._changed.clear()
            await self._changed.wait()
        if not self.alive:
            raise ray.exceptions.RayActorError
        return self.table

    async def observe(
        self, report: WorkerReport, windows: list[Window], captures: list[Capture], figures: Figures
    ) -> tuple[int, Keyring]:
        assert report.worker == "w"
        assert figures.refusals.shed == 0
        self.seen += windows
        self.observed.set()
        if self.hangs:
            await asyncio.Future()
        return self.keys

    async def leave(self, worker: str) -> None:
        self.left.append(worker)

    def publish(self, table: RouteTable | RouteDelta) -> None:
        self.table, self.alive = table, True
        self._changed.set()

    def die(self) -> None:
        self.alive = False
        self._changed.set()

    async def hears_of(self, generation: int) -> WorkerReport:
        """The worker's next report from under this generation."""
        async with asyncio.timeout(10):
            while (report := await self.reports.get()).generation != generation:
                pass
        return report


@pytest.fixture
async def controller(monkeypatch: pytest.MonkeyPatch) -> Controller:
    controller = Controller()
    monkeypatch.setattr(ray, "get_actor", controller.find)
    monkeypatch.setattr(sync, "_RETRY_S", 0.01)
    return controller


@pytest.fixture
def config(tmp_path: Path) -> GatewayConfig:
    return GatewayConfig(home=tmp_path)


@pytest.fixture
async def worker(config: GatewayConfig) -> AsyncIterator[Worker]:
    worker = Worker(config, "w")
    yield worker
    await worker.drain()


@pytest.fixture
def entry(lookup: bytes, written: Callable[..., VersionEntry]) -> VersionEntry:
    return written(lookup)


def table(generation: int, entry: VersionEntry) -> RouteTable:
    return RouteTable(generation, {"m": ModelRoute("m", (entry,), 1, ((1, 100.0),))})


async def ask(worker: Worker) -> list[float]:
    request = InferRequest("m", None, {"i": np.array([2], np.int64)})
    answer: list[float] = (await worker.pipeline.infer(request)).outputs["y"].tolist()
    return answer


async def test_tables_come_down_and_observations_go_up(
    controller: Controller, config: GatewayConfig, worker: Worker, entry: VersionEntry
) -> None:
    controller.publish(table(3, entry))
    follow = sync.RouteSync(worker, config)
    await follow.start()
    assert await ask(worker) == [20]
    controller.publish(table(4, entry))
    report = await controller.hears_of(4)
    await follow.stop()
    assert (report.worker, report.failed, report.memory.versions) == ("w", {}, 1)
    assert sum(window.requests for window in controller.seen) == 1
    assert controller.left == ["w"]


async def test_a_controller_that_hangs_keeps_no_worker_from_leaving(
    controller: Controller,
    config: GatewayConfig,
    worker: Worker,
    entry: VersionEntry,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(sync, "_LEAVE_WITHIN_S", 0.05)
    controller.publish(table(3, entry))
    follow = sync.RouteSync(worker, config)
    await follow.start()
    controller.hangs = True
    await asyncio.wait_for(follow.stop(), 10)
    assert controller.left == []


async def test_a_table_that_cannot_be_applied_does_not_end_following(
    controller: Controller,
    config: GatewayConfig,
    worker: Worker,
    entry: VersionEntry,
) -> None:
    controller.publish(table(3, entry))
    follow = sync.RouteSync(worker, config)
    await follow.start()
    await controller.hears_of(3)
    controller.publish(difference(table(7, entry), table(8, entry)))  # of a table that it never had
    await controller.hears_of(3)
    assert await ask(worker) == [20]
    controller.publish(table(9, entry))
    await controller.hears_of(9)
    await follow.stop()


async def test_the_last_table_stays_in_force_without_a_controller_and_over_a_restart(
    controller: Controller, config: GatewayConfig, worker: Worker, entry: VersionEntry
) -> None:
    controller.publish(table(3, entry))
    follow = sync.RouteSync(worker, config)
    await follow.start()
    controller.die()
    assert await ask(worker) == [20]
    await follow.stop()

    restarted = Worker(config, "w")
    follow = sync.RouteSync(restarted, config)
    await follow.start()
    assert await ask(restarted) == [20]
    controller.publish(table(5, entry))
    await controller.hears_of(5)
    await follow.stop()
    await restarted.drain()


async def test_a_window_that_cannot_be_summed_up_is_the_only_one_lost(
    controller: Controller,
    config: GatewayConfig,
    worker: Worker,
    entry: VersionEntry,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    failing, collect = [TypeError("nobody foresaw it")], worker.collect

    def collected(*, everything: bool = False) -> object:
        if failing:
            raise failing.pop()
        return collect(everything=everything)

    monkeypatch.setattr(worker, "collect", collected)
    controller.publish(table(3, entry))
    follow = sync.RouteSync(worker, config.model_copy(update={"watching": Watching(window_s=0.01)}))
    await follow.start()
    await controller.observed.wait()
    assert "one window of observations is lost" in caplog.text
    await follow.stop()


async def test_only_what_changed_comes_down(
    controller: Controller, config: GatewayConfig, worker: Worker, entry: VersionEntry
) -> None:
    first = table(3, entry)
    controller.publish(first)
    follow = sync.RouteSync(worker, config)
    await follow.start()
    later = RouteTable(4, {"n": replace(first.models["m"], name="n")})
    controller.publish(difference(first, later))
    await controller.hears_of(4)
    assert (worker.routes.table, worker.routes.given) == (later, later)
    assert SavedRoutes(config.home / "routes.db").load() == later
    await follow.stop()


async def test_a_damaged_copy_counts_for_nothing(
    controller: Controller, config: GatewayConfig, worker: Worker, entry: VersionEntry
) -> None:
    (config.home / "routes.db").write_bytes(b"no database")
    follow = sync.RouteSync(worker, config)
    await follow.start()
    assert worker.routes.table.generation == 0
    controller.publish(table(6, entry))
    await controller.hears_of(6)
    assert await ask(worker) == [20]
    await follow.stop()
