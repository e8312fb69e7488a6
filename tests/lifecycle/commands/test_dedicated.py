"""Applications follow what is stored: started before a version is named, ended after it is let go."""

import asyncio
from dataclasses import dataclass, field, replace

import pytest

from gateway.core.placement import Placement
from lifecycle.commands.dedicated import Dedicated
from lifecycle.commands.traffic import Traffic
from lifecycle.core import traffic as traffic_of
from lifecycle.core.dedicated import Application
from lifecycle.ports import Entry
from tests.lifecycle.one_model import Registry


@dataclass
class Serve:
    """Applications run once they are told to."""

    runs: dict[str, bool] = field(default_factory=dict)
    ended: list[str] = field(default_factory=list)

    def states(self) -> dict[str, bool]:
        return dict(self.runs)

    def start(self, application: Application) -> None:
        self.runs[application.name] = False

    def end(self, name: str) -> None:
        del self.runs[name]
        self.ended.append(name)


@pytest.fixture
def serve() -> Serve:
    return Serve()


@pytest.fixture
def dedicated(registry: Registry, serve: Serve) -> Dedicated:
    return Dedicated(registry.publisher, registry.fleet, serve)


@pytest.fixture
def traffic(registry: Registry) -> Traffic:
    return Traffic(registry.store, registry.fleet, registry.publisher, registry.clock)


def placed(registry: Registry) -> dict[int, Placement]:
    return {entry.version: entry.placement for entry in registry.fleet.table.models["m"].versions}


async def test_a_champion_moves_there_and_back(
    registry: Registry, serve: Serve, dedicated: Dedicated, traffic: Traffic
) -> None:
    moving = asyncio.create_task(traffic.place("m", Placement.DEDICATED, actor="ann"))
    await asyncio.sleep(0)
    await dedicated.tick(1.0)
    (name,) = serve.runs
    await dedicated.tick(2.0)
    assert placed(registry) == {1: Placement.AUTO}
    assert not moving.done()
    serve.runs[name] = True
    await dedicated.tick(3.0)
    assert placed(registry) == {1: Placement.DEDICATED}
    assert (await moving).confirmed

    registry.fleet.asleep = True
    back = await traffic.place("m", Placement.POOL, actor="ann")
    assert not back.confirmed
    await dedicated.tick(4.0)
    assert serve.ended == []  # a worker still follows the table that names it
    registry.fleet.wake()
    await dedicated.tick(5.0)
    assert serve.ended == [name]
    assert [record.kind for record in registry.store.records("m")][-2:] == ["placement.set"] * 2


async def test_the_next_version_is_named_once_its_application_runs(
    registry: Registry, serve: Serve, dedicated: Dedicated
) -> None:
    (model,) = registry.store.models("m")
    apart = replace(model, placement=Placement.DEDICATED, revision=2)
    registry.publisher.commit(Entry("ann", "placement.set", "m"), apart)
    await dedicated.tick(1.0)
    serve.runs = dict.fromkeys(serve.runs, True)
    await dedicated.tick(2.0)
    registry.publisher.commit(Entry("ann", "traffic.set.load", "m"), traffic_of.holding(apart, {2}))
    await dedicated.tick(3.0)
    assert sorted(serve.runs.values()) == [False, True]
    assert placed(registry) == {1: Placement.DEDICATED}
    serve.runs = dict.fromkeys(serve.runs, True)
    await dedicated.tick(4.0)
    assert placed(registry) == {1: Placement.DEDICATED, 2: Placement.DEDICATED}
    assert serve.ended == []


async def test_a_controller_that_comes_back_ends_what_nobody_asked_for(
    registry: Registry, serve: Serve, dedicated: Dedicated
) -> None:
    serve.runs = {"model-m-9-abc": True}
    await dedicated.look()
    await dedicated.tick(1.0)
    assert serve.ended == ["model-m-9-abc"]


async def test_one_that_rests_starts_nothing(
    registry: Registry, serve: Serve, dedicated: Dedicated, traffic: Traffic
) -> None:
    dedicated.rest()
    placing = asyncio.create_task(traffic.place("m", Placement.DEDICATED, actor="ann"))
    await asyncio.sleep(0)
    await dedicated.tick(1.0)
    assert serve.runs == {}
    placing.cancel()
    await asyncio.gather(placing, return_exceptions=True)


async def test_an_upgrade_starts_anew_what_there_is_and_waits_for_it(
    registry: Registry, serve: Serve, dedicated: Dedicated, traffic: Traffic
) -> None:
    await dedicated.renew()  # there is nothing to wait for
    moving = asyncio.create_task(traffic.place("m", Placement.DEDICATED, actor="ann"))
    await asyncio.sleep(0)
    await dedicated.tick(1.0)
    (name,) = serve.runs
    serve.runs[name] = True
    await dedicated.tick(2.0)
    await moving

    renewing = asyncio.create_task(dedicated.renew())
    await asyncio.wait({renewing}, timeout=0.2)
    assert not renewing.done()
    assert not serve.runs[name]
    assert placed(registry) == {1: Placement.DEDICATED}
    serve.runs[name] = True
    await renewing
