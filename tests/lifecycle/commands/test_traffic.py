"""Traffic by hand: loaded first, switched in one step, refused with the reason."""

import asyncio
import gc
from collections.abc import Collection

import pytest

from gateway.core.limits import ModelLimits
from gateway.core.placement import Placement
from lifecycle.commands.registry.catalogue import Catalogue
from lifecycle.commands.rollouts import Rollouts
from lifecycle.commands.traffic import Traffic
from lifecycle.core.rollouts.plan import preset
from lifecycle.core.rollouts.rollout import Phase
from lifecycle.core.stages import Stage
from lifecycle.errors import LifecycleCode, LifecycleError
from tests.lifecycle.one_model import Registry
from tests.lifecycle.world import FakeFleet, kinds, weights


@pytest.fixture
def traffic(registry: Registry) -> Traffic:
    return Traffic(registry.store, registry.fleet, registry.publisher, registry.clock)


@pytest.fixture
def rollouts(registry: Registry) -> Rollouts:
    return Rollouts(registry.store, registry.publisher, registry.clock)


async def test_a_version_is_loaded_before_it_is_routed(registry: Registry, traffic: Traffic) -> None:
    change = await traffic.set("m", {1: 90, 2: 10}, [3], actor="ann")
    assert change.confirmed
    tables = registry.fleet.published[1:]
    assert [weights(table) for table in tables] == [{1: 100}, {1: 90, 2: 10}]
    assert [entry.version for entry in tables[0].models["m"].versions] == [1, 2, 3]
    assert traffic.show("m") == change.model
    assert (change.model.champion, change.model.shadows, change.model.held) == (1, (3,), ())


async def test_a_version_in_memory_is_switched_at_once(registry: Registry, traffic: Traffic) -> None:
    await traffic.set("m", {1: 90, 2: 10}, actor="ann")
    before = len(registry.fleet.published)
    await traffic.set("m", {1: 10, 2: 90}, actor="ann")
    assert len(registry.fleet.published) == before + 1
    assert dict(traffic.show("m").weights) == {1: 10, 2: 90}


async def test_stages_follow_live_traffic(registry: Registry, traffic: Traffic) -> None:
    await traffic.set("m", {1: 50, 2: 50}, [3], actor="ann")
    assert registry.stages() | {4: Stage.REGISTERED} == registry.stages()
    assert [registry.stages()[n] for n in (1, 2, 3)] == [Stage.SERVING, Stage.SERVING, Stage.APPROVED]
    await traffic.set("m", {2: 100}, actor="ann")
    assert [registry.stages()[n] for n in (1, 2, 3)] == [Stage.APPROVED, Stage.SERVING, Stage.APPROVED]


async def test_a_dry_run_changes_nothing(registry: Registry, traffic: Traffic) -> None:
    before, tables = traffic.show("m"), len(registry.fleet.published)
    change = await traffic.set("m", {2: 100}, dry_run=True, actor="ann")
    assert (change.model.champion, change.confirmed) == (2, False)
    assert (traffic.show("m"), len(registry.fleet.published)) == (before, tables)


@pytest.mark.parametrize(
    ("weights", "revision", "code"),
    [
        ({2: 100}, 7, LifecycleCode.STALE),
        ({2: 90}, None, LifecycleCode.INVALID),
        ({9: 100}, None, LifecycleCode.NOT_FOUND),
        ({4: 100}, None, LifecycleCode.CONFLICT),
    ],
)
async def test_a_refusal_changes_nothing(
    registry: Registry,
    traffic: Traffic,
    weights: dict[int, float],
    revision: int | None,
    code: LifecycleCode,
) -> None:
    before = traffic.show("m")
    with pytest.raises(LifecycleError) as refused:
        await traffic.set("m", weights, if_revision=revision, actor="ann")
    assert refused.value.code is code
    assert (traffic.show("m"), len(registry.store.records())) == (before, 1)


async def test_an_unknown_model_is_not_found(traffic: Traffic) -> None:
    with pytest.raises(LifecycleError, match="no model 'x'"):
        traffic.show("x")


async def test_a_version_that_does_not_load_gets_no_traffic(registry: Registry, traffic: Traffic) -> None:
    registry.fleet.broken.add(("m", 2))
    with pytest.raises(LifecycleError, match="cannot load version 2") as refused:
        await traffic.set("m", {2: 100}, actor="ann")
    assert refused.value.code is LifecycleCode.REFUSED
    assert all(weights(table) == {1: 100} for table in registry.fleet.published)
    assert traffic.show("m").loaded() == {1}


async def test_without_an_answering_worker_nothing_changes(registry: Registry, traffic: Traffic) -> None:
    registry.fleet.asleep = True
    with pytest.raises(LifecycleError, match="version 2 in time") as refused:
        await traffic.set("m", {2: 100}, actor="ann")
    assert refused.value.code is LifecycleCode.UNAVAILABLE
    assert traffic.show("m").loaded() == {1}


async def test_a_caller_who_gives_up_leaves_nothing_loaded(registry: Registry, traffic: Traffic) -> None:
    loading = asyncio.Event()

    class Endless(FakeFleet):
        async def confirmed(
            self, generation: int, timeout_s: float, holding: Collection[tuple[str, int]] = ()
        ) -> bool:
            loading.set()
            return await asyncio.Future()

    fleet = Endless()
    registry.publisher._fleet = fleet
    traffic = Traffic(registry.store, fleet, registry.publisher, registry.clock)
    task = asyncio.create_task(traffic.set("m", {2: 100}, actor="ann"))
    await loading.wait()
    assert traffic.show("m").loaded() == {1, 2}
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert traffic.show("m").loaded() == {1}


async def test_a_change_that_is_overtaken_while_it_loads_leaves_nothing_loaded(registry: Registry) -> None:
    class Overtaken(FakeFleet):
        async def confirmed(
            self, generation: int, timeout_s: float, holding: Collection[tuple[str, int]] = ()
        ) -> bool:
            Catalogue(registry.store, registry.publisher).alias("m", f"name-{generation}", 1, "bob")
            return True

    fleet = Overtaken()
    registry.publisher._fleet = fleet
    traffic = Traffic(registry.store, fleet, registry.publisher, registry.clock)
    for change in (traffic.set("m", {2: 100}, actor="ann"), traffic.keep("m", True, actor="ann")):
        with pytest.raises(LifecycleError) as refused:
            await change
        assert refused.value.code is LifecycleCode.STALE
        assert (traffic.show("m").held, traffic.show("m").resident) == ((), False)


class Stuck(FakeFleet):
    """Workers that load a version only when they are told to."""

    def __init__(self, version: int) -> None:
        super().__init__()
        self.version = version
        self.loading, self.over = asyncio.Event(), asyncio.Event()

    async def confirmed(
        self, generation: int, timeout_s: float, holding: Collection[tuple[str, int]] = ()
    ) -> bool:
        if ("m", self.version) in holding and weights(self.table) == {2: 100}:
            self.loading.set()
            await self.over.wait()
        return True


@pytest.mark.parametrize(("stuck", "waits"), [(3, False), (1, True)], ids=["another", "the one it goes to"])
async def test_going_back_waits_for_no_version_but_the_one_it_goes_to(
    registry: Registry, stuck: int, waits: bool
) -> None:
    registry.publisher._fleet = fleet = Stuck(stuck)
    traffic = Traffic(registry.store, fleet, registry.publisher, registry.clock)
    await traffic.set("m", {2: 100}, actor="ann")
    change = asyncio.create_task(traffic.set("m", {stuck: 100}, actor="ann"))
    await fleet.loading.wait()
    back = asyncio.create_task(traffic.rollback("m", actor="bob"))
    await asyncio.wait({back}, timeout=0.05 if waits else None)
    assert (back.done(), weights(fleet.table)) == (not waits, {2: 100} if waits else {1: 100})
    fleet.over.set()
    assert (await back).model.champion == 1
    with pytest.raises(LifecycleError) as refused:
        await change
    assert refused.value.code is LifecycleCode.STALE
    assert (traffic.show("m").champion, traffic.show("m").held) == (1, ())


async def test_a_name_that_was_only_asked_for_is_not_remembered(traffic: Traffic) -> None:
    for number in range(100):
        with pytest.raises(LifecycleError, match="there is no model"):
            await traffic.set(f"guess-{number}", {1: 100}, actor="eve")
    await traffic.set("m", {2: 100}, actor="ann")
    gc.collect()
    assert len(traffic._locks) == 0


async def test_changes_of_one_model_wait_for_each_other(traffic: Traffic) -> None:
    splits: list[dict[int, float]] = [{1: 100 - n, 2: n} for n in (10, 20, 30)]
    await asyncio.gather(*(traffic.set("m", split, actor="ann") for split in splits))
    assert dict(traffic.show("m").weights) == splits[-1]


async def test_a_rollback_returns_to_the_champion_before(registry: Registry, traffic: Traffic) -> None:
    await traffic.set("m", {2: 100}, actor="ann")
    change = await traffic.rollback("m", actor="bob")
    assert (change.model.champion, change.confirmed) == (1, True)
    assert weights(registry.fleet.table) == {1: 100}
    loads = [[entry.version for entry in t.models["m"].versions] for t in registry.fleet.published[-2:]]
    assert loads == [[1, 2], [1]]
    with pytest.raises(LifecycleError, match="no earlier champion") as refused:
        await traffic.rollback("m", actor="bob")
    assert refused.value.code is LifecycleCode.CONFLICT


async def test_during_a_rollout_traffic_is_refused_and_a_rollback_ends_it(
    registry: Registry, traffic: Traffic, rollouts: Rollouts
) -> None:
    rollouts.start("m", 2, preset("quick"), "ann")
    with pytest.raises(LifecycleError, match="headrace rollback m") as refused:
        await traffic.set("m", {2: 100}, actor="ann")
    assert refused.value.code is LifecycleCode.CONFLICT
    change = await traffic.rollback("m", actor="bob")
    assert (change.model.champion, change.confirmed) == (1, True)
    assert rollouts.show("m").phase is Phase.ROLLED_BACK
    assert rollouts.show("m").reason == "rolled back by bob"
    assert registry.stages()[2] is Stage.APPROVED
    assert kinds(registry.store.records())[-1] == "rollout.roll_back"


async def test_limits_are_part_of_the_route_and_survive_other_changes(
    registry: Registry, traffic: Traffic
) -> None:
    change = await traffic.limit("m", ModelLimits(4, 8), actor="ann")
    assert change.confirmed
    assert registry.fleet.published[-1].models["m"].limits == ModelLimits(4, 8)
    await traffic.set("m", {2: 100}, actor="ann")
    assert registry.fleet.published[-1].models["m"].limits == ModelLimits(4, 8)


async def test_a_resident_model_stays_in_memory_through_other_changes(
    registry: Registry, traffic: Traffic
) -> None:
    await traffic.set("m", {1: 90, 2: 10}, actor="ann")
    change = await traffic.keep("m", True, actor="ann")
    assert (change.confirmed, change.model.resident, change.model.held) == (True, True, ())
    loading, kept = registry.fleet.published[-2:]
    assert (loading.models["m"].held, loading.models["m"].resident) == ((1, 2), False)
    assert (kept.models["m"].held, kept.models["m"].resident) == ((), True)
    await traffic.set("m", {2: 100}, actor="ann")
    assert registry.fleet.table.models["m"].resident
    await traffic.keep("m", False, actor="ann")
    assert not registry.fleet.table.models["m"].resident
    assert kinds(registry.store.records())[-1] == "memory.set"


async def test_a_model_that_finds_no_room_does_not_become_resident(
    registry: Registry, traffic: Traffic
) -> None:
    registry.fleet.broken.add(("m", 1))
    with pytest.raises(LifecycleError, match="it is broken") as refused:
        await traffic.keep("m", True, actor="ann")
    assert refused.value.code is LifecycleCode.REFUSED
    assert not registry.fleet.table.models["m"].resident
    assert not traffic.show("m").resident


async def test_a_placement_where_the_version_does_not_load_is_undone(
    registry: Registry, traffic: Traffic
) -> None:
    registry.fleet.broken = {("m", 1)}
    with pytest.raises(LifecycleError, match="it is broken") as refused:
        await traffic.place("m", Placement.POOL, actor="ann")
    assert refused.value.code is LifecycleCode.REFUSED
    assert traffic.show("m").placement is Placement.AUTO
    assert kinds(registry.store.records("m"))[-2:] == ["placement.set", "placement.undo"]
