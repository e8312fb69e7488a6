"""Workers pull tables and report; the controller learns when all of them follow."""

import asyncio

import pytest

from gateway.core.delta import RouteDelta, advance
from gateway.core.placement import Placed, Placement
from gateway.core.report import WorkerReport
from gateway.core.routing import ModelRoute, RouteTable, VersionEntry
from gateway.core.signature import Signature
from lifecycle.adapters.fleet import FORGOTTEN_AFTER_S, MOST_DELTAS, SILENT_AFTER_S, WorkerFleet


class Clock:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


def table(generation: int, version: int) -> RouteTable:
    entry = VersionEntry(version, "", "", Signature((), ()))
    return RouteTable(generation, {"m": ModelRoute("m", (entry,), version, ((version, 100.0),))})


async def test_a_waiting_worker_gets_the_table_as_it_is_published() -> None:
    fleet = WorkerFleet(Clock())
    waiting = asyncio.create_task(fleet.watch(WorkerReport("a", 0), 10))
    await asyncio.sleep(0)
    fleet.publish(table(1, 1))
    assert await waiting == table(1, 1)


async def test_a_worker_that_has_the_table_hears_nothing_new() -> None:
    fleet = WorkerFleet(Clock())
    fleet.publish(table(1, 1))
    assert await fleet.watch(WorkerReport("a", 1), 0.01) is None


async def test_workers_that_died_without_a_word_are_forgotten() -> None:
    clock = Clock()
    fleet = WorkerFleet(clock)
    fleet.publish(table(1, 1))
    for number in range(100):
        await fleet.watch(WorkerReport(f"worker-{number}", 0), 0.01)
        clock.now += FORGOTTEN_AFTER_S / 2
    assert (len(fleet._reports), len(fleet._sent), fleet.starts.total()) == (2, 2, 100)


async def test_confirmed_only_when_every_worker_follows() -> None:
    fleet = WorkerFleet(Clock())
    fleet.publish(table(1, 1))
    fleet.observe(WorkerReport("a", 1), [], [])
    fleet.observe(WorkerReport("b", 0), [], [])
    assert not await fleet.confirmed(1, 0.01)
    confirming = asyncio.create_task(fleet.confirmed(1, 10))
    await asyncio.sleep(0)
    fleet.observe(WorkerReport("b", 1), [], [])
    assert await confirming


async def test_nobody_alive_confirms_nothing() -> None:
    assert not await WorkerFleet(Clock()).confirmed(0, 0.01)


async def test_a_worker_gets_only_what_changed_since_its_table() -> None:
    fleet = WorkerFleet(Clock())
    fleet.publish(RouteTable(1, {"n": table(1, 1).models["m"]}))
    held = await fleet.watch(WorkerReport("a", 0), 1)
    assert isinstance(held, RouteTable)
    for generation in (2, 3):
        fleet.publish(RouteTable(generation, {**fleet.table.models, **table(generation, generation).models}))
    delta = await fleet.watch(WorkerReport("a", 1), 1)
    assert isinstance(delta, RouteDelta)
    assert (delta.base, delta.generation, set(delta.models)) == (1, 3, {"m"})
    assert advance(held, delta) == fleet.table


@pytest.mark.parametrize("missed", [1, MOST_DELTAS + 1])
async def test_a_worker_that_is_too_far_behind_or_new_here_gets_it_all(missed: int) -> None:
    fleet = WorkerFleet(Clock())
    for generation in range(1, missed + 2):
        fleet.publish(table(generation, 1))
        if generation == 1 and missed > 1:
            await fleet.watch(WorkerReport("a", 0), 1)
    assert await fleet.watch(WorkerReport("a", 1), 1) == fleet.table


async def test_the_silent_and_the_departed_do_not_count() -> None:
    clock = Clock()
    fleet = WorkerFleet(clock)
    fleet.publish(table(1, 1))
    fleet.observe(WorkerReport("silent", 0), [], [])
    clock.now += SILENT_AFTER_S + 1
    fleet.observe(WorkerReport("departed", 0), [], [])
    fleet.observe(WorkerReport("a", 1), [], [])
    fleet.leave("departed")
    assert [worker.worker for worker in fleet.workers()] == ["a"]
    assert await fleet.confirmed(1, 0.01)


async def test_where_a_version_runs_is_what_each_live_worker_said_last() -> None:
    clock, key = Clock(), ("m", 1)
    fleet = WorkerFleet(clock)
    inline, pool = Placed(Placement.INLINE, 2e5), Placed(Placement.POOL, 4e5)
    fleet.observe(WorkerReport("silent", 0), [], [], {key: inline})
    clock.now += SILENT_AFTER_S + 1
    fleet.observe(WorkerReport("departed", 0), [], [], {key: inline})
    fleet.leave("departed")
    fleet.observe(WorkerReport("a", 1), [], [], {key: inline})
    fleet.observe(WorkerReport("b", 1), [], [], {key: inline})
    fleet.observe(WorkerReport("b", 1), [], [], {key: pool})
    fleet.observe(WorkerReport("b", 1), [], [])  # as it was
    assert (fleet.placed("m", 1), fleet.placed("m", 2)) == ((inline, pool), ())
    fleet.observe(WorkerReport("b", 1), [], [], {})
    assert fleet.placed("m", 1) == (inline,)
