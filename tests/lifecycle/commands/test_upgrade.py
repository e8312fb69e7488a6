"""An upgrade ends when all workers are new; one that cannot begin changes nothing."""

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from gateway.config import GatewayConfig
from lifecycle.commands.upgrade import Upgrade
from lifecycle.errors import LifecycleCode, LifecycleError
from tests.lifecycle.one_model import Registry


def config() -> GatewayConfig:
    return GatewayConfig(home=Path("/nowhere"), workers=2)


def fit() -> None:
    """The installed code starts."""


async def nothing_dedicated() -> None:
    """No version has processes of its own."""


def upgrade_of(
    registry: Registry,
    renewed: Callable[[], GatewayConfig],
    roll: Callable[[GatewayConfig], None],
    check: Callable[[], None] = fit,
    renew: Callable[[], Awaitable[None]] = nothing_dedicated,
) -> Upgrade:
    return Upgrade(registry.store, registry.fleet, renewed, roll, renew, check, registry.fleet.restart)


async def test_it_returns_when_every_worker_is_new(registry: Registry) -> None:
    upgrade = upgrade_of(registry, config, registry.fleet.roll)
    done = await upgrade.run("ann")
    assert len(done.before) == len(done.after) == 2
    assert not set(done.before) & set(done.after)
    assert registry.store.records()[-1].kind == "gateway.upgrade"


async def test_it_waits_for_workers_that_are_on_their_way_and_runs_once(registry: Registry) -> None:
    upgrade = upgrade_of(registry, config, lambda _: None)
    running = asyncio.create_task(upgrade.run("ann"))
    await asyncio.sleep(0.05)
    assert not running.done()
    with pytest.raises(LifecycleError, match="under way") as refused:
        await upgrade.run("bob")
    assert refused.value.code is LifecycleCode.CONFLICT
    registry.fleet.roll(config())
    assert len((await running).after) == 2


async def test_versions_with_processes_of_their_own_are_renewed_after_the_workers(registry: Registry) -> None:
    order: list[str] = []

    def roll(settings: GatewayConfig) -> None:
        order.append("workers")
        registry.fleet.roll(settings)

    async def renew() -> None:
        order.append("dedicated")

    await upgrade_of(registry, config, roll, renew=renew).run("ann")
    assert order == ["workers", "dedicated"]


async def test_wrong_settings_replace_nobody(registry: Registry) -> None:
    def wrong() -> GatewayConfig:
        raise LifecycleError(LifecycleCode.INVALID, "wrong settings")

    before = registry.fleet.workers()
    with pytest.raises(LifecycleError, match="wrong settings"):
        await upgrade_of(registry, wrong, registry.fleet.roll).run("ann")
    assert registry.fleet.workers() == before
    assert registry.store.records()[-1].kind != "gateway.upgrade"


async def test_code_that_does_not_start_replaces_nobody(registry: Registry) -> None:
    def broken() -> None:
        raise LifecycleError(LifecycleCode.INVALID, "no module named x")

    before = registry.fleet.workers()
    upgrade = upgrade_of(registry, config, registry.fleet.roll, broken)
    with pytest.raises(LifecycleError, match="no module named x"):
        await upgrade.run("ann")
    assert registry.fleet.workers() == before
    assert registry.fleet.restarts == 0
