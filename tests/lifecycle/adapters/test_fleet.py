"""Workers pull tables and report; the controller learns when all of them follow."""

import asyncio

from gateway.core.report import WorkerReport
from gateway.core.routing import ModelRoute, RouteTable, VersionEntry
from gateway.core.signature import Signature
from lifecycle.adapters.fleet import SILENT_AFTER_S, WorkerFleet


class Clock:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


def report(worker: str, generation: int, *loaded: int) -> WorkerReport:
    return WorkerReport(worker, generation, frozenset(("m", n) for n in loaded), frozenset(), 0.0)


def table(generation: int, version: int) -> RouteTable:
    entry = VersionEntry(version, "", "", Signature((), ()))
    return RouteTable(generation, {"m": ModelRoute("m", (entry,), version, ((version, 100.0),))})


async def test_a_waiting_worker_gets_the_table_as_it_is_published() -> None:
    fleet = WorkerFleet(Clock())
    waiting = asyncio.create_task(fleet.watch(report("a", 0), 10))
    await asyncio.sleep(0)
    fleet.publish(table(1, 1))
    assert await waiting == table(1, 1)


async def test_a_worker_that_has_the_table_hears_nothing_new() -> None:
    fleet = WorkerFleet(Clock())
    fleet.publish(table(1, 1))
    assert await fleet.watch(report("a", 1, 1), 0.01) is None


async def test_confirmed_only_when_every_worker_follows() -> None:
    fleet = WorkerFleet(Clock())
    fleet.publish(table(1, 1))
    fleet.observe(report("a", 1, 1), [], [])
    fleet.observe(report("b", 0), [], [])
    assert not await fleet.confirmed(1, 0.01)
    confirming = asyncio.create_task(fleet.confirmed(1, 10))
    await asyncio.sleep(0)
    fleet.observe(report("b", 1, 1), [], [])
    assert await confirming


async def test_nobody_alive_confirms_nothing() -> None:
    assert not await WorkerFleet(Clock()).confirmed(0, 0.01)


async def test_a_worker_without_the_version_does_not_confirm() -> None:
    fleet = WorkerFleet(Clock())
    fleet.publish(table(1, 1))
    fleet.observe(report("a", 1), [], [])
    assert not await fleet.confirmed(1, 0.01)


async def test_the_silent_and_the_departed_do_not_count() -> None:
    clock = Clock()
    fleet = WorkerFleet(clock)
    fleet.publish(table(1, 1))
    fleet.observe(report("silent", 0), [], [])
    clock.now += SILENT_AFTER_S + 1
    fleet.observe(report("departed", 0), [], [])
    fleet.observe(report("a", 1, 1), [], [])
    fleet.leave("departed")
    assert [worker.worker for worker in fleet.workers()] == ["a"]
    assert await fleet.confirmed(1, 0.01)
