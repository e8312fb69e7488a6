"""Applications follow what is stored: started before a version is named, ended after it is let go."""

import asyncio
from dataclasses import dataclass, field, replace

import pytest

from gateway.core.placement import Placement
from lifecycle.commands.dedicated import REST_S, Dedicated
from lifecycle.commands.traffic import Traffic
from lifecycle.core import traffic as traffic_of
from lifecycle.core.dedicated import Application, Phase, State, Stayed
from lifecycle.ports import Entry
from tests.lifecycle.one_model import Registry


@dataclass
class Serve:
    """Applications run once they are told to, and are there until their end is over."""

    phases: dict[str, Phase] = field(default_factory=dict)
    reason: str = ""
    """Why what is given up was."""
    too_small: str = ""
    ended: list[str] = field(default_factory=list)

    def states(self) -> dict[str, State]:
        return {
            name: State(phase, self.reason if phase is Phase.GIVEN_UP else "")
            for name, phase in self.phases.items()
        }

    def start(self, application: Application) -> None:
        self.phases[application.name] = Phase.STARTING

    def renew(self, application: Application) -> str:
        if not self.too_small:
            self.start(application)
        return self.too_small

    def end(self, name: str) -> None:
        self.phases[name] = Phase.ENDING
        self.ended.append(name)

    def all_run(self) -> None:
        self.phases = dict.fromkeys(self.phases, Phase.RUNNING)


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
    (name,) = serve.phases
    await dedicated.tick(2.0)
    assert placed(registry) == {1: Placement.AUTO}
    assert not moving.done()
    serve.all_run()
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
    serve.all_run()
    await dedicated.tick(2.0)
    registry.publisher.commit(Entry("ann", "traffic.set.load", "m"), traffic_of.holding(apart, {2}))
    await dedicated.tick(3.0)
    assert sorted(serve.phases.values()) == [Phase.RUNNING, Phase.STARTING]
    assert placed(registry) == {1: Placement.DEDICATED}
    serve.all_run()
    await dedicated.tick(4.0)
    assert placed(registry) == {1: Placement.DEDICATED, 2: Placement.DEDICATED}
    assert serve.ended == []


async def test_a_controller_that_comes_back_ends_what_nobody_asked_for(
    registry: Registry, serve: Serve, dedicated: Dedicated
) -> None:
    serve.phases = {"model-m-9-abc": Phase.RUNNING}
    await dedicated.look()
    await dedicated.tick(1.0)
    await dedicated.tick(2.0)
    assert serve.ended == ["model-m-9-abc"]  # told once, however long it takes


async def test_one_that_rests_starts_nothing(
    registry: Registry, serve: Serve, dedicated: Dedicated, traffic: Traffic
) -> None:
    dedicated.rest()
    placing = asyncio.create_task(traffic.place("m", Placement.DEDICATED, actor="ann"))
    await asyncio.sleep(0)
    await dedicated.tick(1.0)
    assert serve.phases == {}
    placing.cancel()
    await asyncio.gather(placing, return_exceptions=True)


@pytest.fixture
async def moved(registry: Registry, serve: Serve, dedicated: Dedicated, traffic: Traffic) -> str:
    """The application of version 1, which serves."""
    moving = asyncio.create_task(traffic.place("m", Placement.DEDICATED, actor="ann"))
    await asyncio.sleep(0)
    await dedicated.tick(1.0)
    serve.all_run()
    await dedicated.tick(2.0)
    await moving
    (name,) = serve.phases
    return name


async def starting(serve: Serve, name: str) -> None:
    for _ in range(6_000):
        if serve.phases[name] is Phase.STARTING:
            return
        await asyncio.sleep(0.01)
    pytest.fail("it was not started anew")


async def test_an_upgrade_starts_anew_what_there_is_and_waits_for_it(
    registry: Registry, serve: Serve, dedicated: Dedicated, moved: str
) -> None:
    renewing = asyncio.create_task(dedicated.renew())
    await starting(serve, moved)
    await asyncio.wait({renewing}, timeout=0.2)
    assert not renewing.done()
    assert serve.phases == {moved: Phase.STARTING}
    assert placed(registry) == {1: Placement.DEDICATED}
    serve.all_run()
    assert await renewing == ()


async def test_an_upgrade_has_nothing_to_wait_for_where_nothing_is_dedicated(dedicated: Dedicated) -> None:
    assert await dedicated.renew() == ()


async def test_an_upgrade_tells_of_processes_that_do_not_come(
    registry: Registry, serve: Serve, dedicated: Dedicated, moved: str
) -> None:
    renewing = asyncio.create_task(dedicated.renew())
    await starting(serve, moved)
    serve.reason = "its own process waits for 1 CPU, which others hold"
    serve.phases[moved] = Phase.GIVEN_UP
    assert await renewing == (Stayed("m", 1, serve.reason),)
    await dedicated.tick(9.0)
    assert placed(registry) == {1: Placement.DEDICATED}
    assert serve.ended == []


async def test_one_that_serve_gave_up_for_good_is_started_again_after_a_rest(
    registry: Registry, serve: Serve, dedicated: Dedicated, moved: str
) -> None:
    serve.phases[moved] = Phase.DEAD
    await dedicated.tick(10.0)
    await dedicated.tick(9.0 + REST_S)
    assert serve.phases == {moved: Phase.DEAD}
    assert placed(registry) == {1: Placement.DEDICATED}  # workers hear why
    await dedicated.tick(10.0 + REST_S)
    assert serve.phases == {moved: Phase.STARTING}


async def test_an_upgrade_leaves_alone_what_could_never_come_back(
    serve: Serve, dedicated: Dedicated, moved: str
) -> None:
    serve.too_small = "its own process needs 9 CPU, and no node has as much"
    assert await dedicated.renew() == (Stayed("m", 1, serve.too_small),)
    assert serve.phases == {moved: Phase.RUNNING}
