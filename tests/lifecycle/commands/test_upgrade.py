"""An upgrade ends when all workers are new; one that cannot begin changes nothing."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence

import pytest

from lifecycle.commands.upgrade import Upgrade
from lifecycle.core.dedicated import Stayed
from lifecycle.errors import LifecycleCode, LifecycleError
from tests.lifecycle.one_model import Registry
from tests.lifecycle.world import FakeNodes


def fit() -> None:
    """The installed code starts."""


async def nothing_dedicated() -> tuple[Stayed, ...]:
    return ()


def upgrade_of(
    registry: Registry,
    nodes: FakeNodes,
    check: Callable[[], None] = fit,
    renew: Callable[[], Awaitable[Sequence[Stayed]]] = nothing_dedicated,
) -> Upgrade:
    return Upgrade(registry.store, registry.fleet, nodes, renew, check, registry.fleet.restart)


async def rolled(nodes: FakeNodes, *names: str) -> None:
    """Waits until these nodes, in this order, have been told to replace their workers."""
    for _ in range(6_000):
        if nodes.rolled == [*names]:
            return
        await asyncio.sleep(0.01)
    pytest.fail(f"{nodes.rolled} have been told, and not {names}")


async def test_it_returns_when_every_worker_is_new(registry: Registry) -> None:
    upgrade = upgrade_of(registry, FakeNodes(registry.fleet))
    done = await upgrade.run("ann")
    assert len(done.before) == len(done.after) == 2
    assert not set(done.before) & set(done.after)
    assert registry.store.records()[-1].kind == "gateway.upgrade"


async def test_nodes_are_rolled_one_after_the_other(registry: Registry) -> None:
    registry.fleet.join("other-1f", workers=3)
    nodes = FakeNodes(registry.fleet)
    done = await upgrade_of(registry, nodes).run("ann")
    assert nodes.rolled == ["", "other-1f"]
    assert len(done.before) == len(done.after) == 5
    assert not set(done.before) & set(done.after)
    nodes.slow = True
    running = asyncio.create_task(upgrade_of(registry, nodes).run("ann"))
    await rolled(nodes, "", "other-1f", "")
    await asyncio.wait({running}, timeout=0.5)
    assert len(nodes.rolled) == 3  # the other's workers stay while these are on their way
    registry.fleet.roll("")
    await rolled(nodes, "", "other-1f", "", "other-1f")
    registry.fleet.roll("other-1f")
    await running


async def test_it_waits_for_workers_that_are_on_their_way_and_runs_once(registry: Registry) -> None:
    nodes = FakeNodes(registry.fleet)
    nodes.slow = True
    upgrade = upgrade_of(registry, nodes)
    running = asyncio.create_task(upgrade.run("ann"))
    await rolled(nodes, "")
    assert not running.done()
    with pytest.raises(LifecycleError, match="under way") as refused:
        await upgrade.run("bob")
    assert refused.value.code is LifecycleCode.CONFLICT
    registry.fleet.roll("")
    assert len((await running).after) == 2


async def test_versions_with_processes_of_their_own_are_renewed_after_the_workers(registry: Registry) -> None:
    nodes = FakeNodes(registry.fleet)

    async def renew() -> tuple[Stayed, ...]:
        nodes.rolled.append("dedicated")
        return ()

    done = await upgrade_of(registry, nodes, renew=renew).run("ann")
    assert nodes.rolled == ["", "dedicated"]
    assert done.stayed == ()
    assert registry.store.records()[-1].kind == "gateway.upgrade"


async def test_versions_that_stay_in_old_processes_are_told_and_written_down(registry: Registry) -> None:
    stayed = Stayed("m", 1, "its own process waits for 1 CPU, which others hold")

    async def renew() -> tuple[Stayed, ...]:
        return (stayed,)

    done = await upgrade_of(registry, FakeNodes(registry.fleet), renew=renew).run("ann")
    assert done.stayed == (stayed,)
    record = registry.store.records("m")[-1]
    assert (record.actor, record.kind) == ("ann", "gateway.upgrade.stayed")
    assert record.detail == {"version": 1, "reason": stayed.reason}


async def test_wrong_settings_replace_nobody(registry: Registry) -> None:
    nodes = FakeNodes(registry.fleet)
    registry.fleet.join("other-1f")
    nodes.wrong["other-1f"] = "wrong settings"
    before = registry.fleet.workers()
    with pytest.raises(LifecycleError, match="wrong settings"):
        await upgrade_of(registry, nodes).run("ann")
    assert registry.fleet.workers() == before
    assert registry.store.records()[-1].kind != "gateway.upgrade"


async def test_code_that_does_not_start_replaces_nobody(registry: Registry) -> None:
    def broken() -> None:
        raise LifecycleError(LifecycleCode.INVALID, "no module named x")

    before = registry.fleet.workers()
    upgrade = upgrade_of(registry, FakeNodes(registry.fleet), broken)
    with pytest.raises(LifecycleError, match="no module named x"):
        await upgrade.run("ann")
    assert registry.fleet.workers() == before
    assert registry.fleet.restarts == 0


async def test_it_ends_at_once_when_serve_gives_new_workers_up(registry: Registry) -> None:
    registry.fleet.join("other-1f")
    nodes = FakeNodes(registry.fleet)
    nodes.failing = {"other-1f": "no slot is free"}
    before = registry.fleet.workers()
    told = r"new workers of node other-1f do not stay up \(no slot is free\)"
    with pytest.raises(LifecycleError, match=told) as failed:
        await asyncio.wait_for(upgrade_of(registry, nodes).run("ann"), 5)
    assert failed.value.code is LifecycleCode.UNAVAILABLE
    assert nodes.rolled == ["", "other-1f"]
    assert registry.fleet.workers()[-1] == before[-1]  # it serves on
