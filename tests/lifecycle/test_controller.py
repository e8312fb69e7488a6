"""The control loop with a real store: rollouts run to their end through crashes, slow workers and people."""

import asyncio
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from gateway.core.types import Role
from lifecycle import controller
from lifecycle.core.analysis.guards import Guards
from lifecycle.core.governance.ledger import verify
from lifecycle.core.rollouts.forecast import forecast
from lifecycle.core.rollouts.plan import Plan, Step, preset
from lifecycle.core.rollouts.rollout import Phase, Rollout
from lifecycle.core.stages import Stage
from lifecycle.core.verdict import Verdict
from lifecycle.core.version import Model
from lifecycle.errors import LifecycleCode, LifecycleError
from lifecycle.ports import Entry
from tests.lifecycle.mortal import Crash, MortalFleet, World
from tests.lifecycle.world import kinds, version, weights, window

STORY = ["load", "shadow", "set_weight", "set_weight", "promote", "finish"]


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    made = World(tmp_path, iter(()))
    yield made
    made.store.close()


async def test_a_good_version_takes_over(world: World) -> None:
    world.rollouts.start("m", 2, preset("quick"), "ann")
    await world.run(40)
    assert world.phase() is Phase.PROMOTED
    assert world.actions() == STORY
    assert weights(world.fleet.table) == {2: 100}
    assert world.stages() == {1: Stage.APPROVED, 2: Stage.SERVING, 3: Stage.APPROVED}
    assert [entry.version for entry in world.fleet.table.models["m"].versions] == [2]


async def test_the_old_champion_is_hot_through_the_bake_time(world: World) -> None:
    world.rollouts.start("m", 2, preset("quick"), "ann")
    await world.until(Phase.BAKE)
    assert [entry.version for entry in world.fleet.table.models["m"].versions] == [1, 2]


async def test_a_bad_version_is_out_in_the_tick_of_its_verdict(world: World) -> None:
    world.rollouts.start("m", 2, preset("quick"), "ann")
    await world.until(Phase.STEP)
    before = len(world.fleet.published)
    while world.rollout.active:
        assert weights(world.fleet.table) == {1: 90, 2: 10}
        await world.run(1, invalid=10)
    assert len(world.fleet.published) == before + 1
    assert weights(world.fleet.table) == {1: 100}
    assert world.rollout.verdict is Verdict.FAIL
    assert world.stages()[2] is Stage.REJECTED
    rejected = world.store.versions("m")[1]
    assert any(finding.verdict is Verdict.FAIL for finding in rejected.evidence)
    record = world.store.records()[-1]
    assert record.detail["weights"] == {"1": 100.0}
    assert any(finding["numbers"] for finding in record.detail["findings"])


async def test_evidence_that_cannot_be_judged_holds_until_the_deadline(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object) -> Rollout:
        raise ZeroDivisionError

    monkeypatch.setattr("lifecycle.controller.absorb", broken)
    world.rollouts.start("m", 2, replace(preset("quick"), deadline_seconds=30), "ann")
    await world.run(20)
    assert world.rollout.phase is Phase.SHADOW
    await world.run(20)
    assert world.phase() is Phase.ROLLED_BACK
    assert "deadline" in world.rollout.reason
    assert world.stages()[2] is Stage.APPROVED


async def test_a_version_that_does_not_load_never_has_traffic(world: World) -> None:
    world.fleet.broken.add(("m", 2))
    world.rollouts.start("m", 2, preset("quick"), "ann")
    await world.run(5)
    assert world.phase() is Phase.ROLLED_BACK
    assert all(weights(table) == {1: 100} for table in world.fleet.published)
    assert world.stages()[2] is Stage.REJECTED


async def test_a_sleeping_worker_holds_one_rollout_and_delays_no_other(world: World) -> None:
    other = Model("n", 1, 0.0, champion=1, weights=((1, 100.0),))
    world.publisher.commit(
        Entry("ann", "set up", "n"), other, version(1, Stage.SERVING, "n"), version(2, model="n")
    )
    world.rollouts.start("m", 2, preset("quick"), "ann")
    world.rollouts.start("n", 2, preset("quick"), "ann")
    world.fleet.asleep = True
    await world.run(5)
    assert world.phase() is Phase.LOADING
    world.fleet.broken.add(("n", 2))
    world.fleet.asleep = False
    world.fleet.wake()
    await world.run(40)
    assert world.phase() is Phase.PROMOTED
    assert world.rollouts.show("n").phase is Phase.ROLLED_BACK


async def test_a_new_controller_publishes_what_is_stored(world: World) -> None:
    world.fleet = MortalFleet()
    world.start()
    world.controller.tick(world.now, [])
    assert weights(world.fleet.table) == {1: 100}


async def test_evidence_survives_a_restart(world: World) -> None:
    world.rollouts.start("m", 2, preset("quick"), "ann")
    await world.until(Phase.STEP)
    await world.run(3)
    seen = world.rollout.evidence
    world.start()
    assert world.rollout.evidence == seen
    await world.run(40)
    assert world.phase() is Phase.PROMOTED


async def test_the_champions_last_minutes_are_the_reference(world: World) -> None:
    await world.run(10)
    world.rollouts.start("m", 2, preset("quick"), "ann")
    await world.run(1)
    assert world.rollout.evidence.reference.requests == 11 * 300


async def test_a_forecast_rests_on_the_champions_last_minutes(world: World) -> None:
    await world.run(10)
    plan = preset("quick")
    told = forecast(plan, *world.controller.champion_now(world.rollouts.draft("m", 2, plan, "ann")))
    assert told.requests_per_s == pytest.approx(300)
    assert told.seconds is not None
    assert world.actions() == []


async def test_of_many_rollouts_each_has_its_turn_though_a_tick_ends_after_a_moment(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(controller, "MOMENT_S", 0.0)  # over with the first one
    for name in ("n", "o"):
        other = Model(name, 1, 0.0, champion=1, weights=((1, 100.0),))
        versions = version(1, Stage.SERVING, name), version(2, model=name)
        world.publisher.commit(Entry("ann", "set up", name), other, *versions)
    for name in ("m", "n", "o"):
        world.rollouts.start(name, 2, preset("quick"), "ann")
    for turn in range(3):
        if turn:
            await world.controller.wait(600.0)  # others wait for theirs: no rest
        world.controller.tick(world.now, [])
    assert kinds(world.store.records()).count("rollout.load") == 3


async def test_what_comes_while_a_rollout_waits_for_its_first_turn_counts_once(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(controller, "MOMENT_S", 0.0)
    other = Model("n", 1, 0.0, champion=1, weights=((1, 100.0),))
    versions = version(1, Stage.SERVING, "n"), version(2, model="n")
    world.publisher.commit(Entry("ann", "set up", "n"), other, *versions)
    for name in ("m", "n"):
        world.rollouts.start(name, 2, preset("quick"), "ann")
    world.controller.tick(world.now, [window(1, Role.CHAMPION, 1, model=name) for name in ("m", "n")])
    world.controller.tick(world.now, [])
    seen = [world.rollouts.show(name).evidence.reference.requests for name in ("m", "n")]
    assert seen == [100, 100]


async def test_a_controller_without_a_rollout_rests_until_one_is_started(world: World) -> None:
    await world.run(1)
    resting = asyncio.create_task(world.controller.wait(0.0))
    await asyncio.sleep(0.05)
    assert not resting.done()
    world.rollouts.start("m", 2, preset("quick"), "ann")
    await resting
    await world.run(1)
    await world.controller.wait(0.0)  # one is under way: no rest


async def test_a_change_in_between_is_decided_anew(world: World) -> None:
    world.rollouts.start("m", 2, preset("quick"), "ann")
    await world.run(1)
    world.rollouts.abort("m", "bob")
    await world.run(10)
    assert world.phase() is Phase.ABORTED
    assert world.actions() == ["load", "abort"]
    assert world.stages()[2] is Stage.APPROVED


async def test_a_database_that_fails_for_a_while_costs_only_time(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.rollouts.start("m", 2, preset("quick"), "ann")

    def fails(*_: object) -> None:
        raise LifecycleError(LifecycleCode.UNAVAILABLE, "the disk is full")

    with monkeypatch.context() as broken:
        broken.setattr(world.store, "commit", fails)
        broken.setattr(world.store, "save", fails)
        await world.run(5)
    await world.run(40)
    assert world.phase() is Phase.PROMOTED
    assert world.actions() == STORY


@pytest.mark.parametrize("written", [True, False], ids=["its answer was lost", "nothing was written"])
async def test_a_write_that_failed_counts_no_traffic_twice_and_none_not_at_all(
    world: World, monkeypatch: pytest.MonkeyPatch, written: bool
) -> None:
    patient = Step(shadow=True, min_seconds=1_000, min_requests=1)
    world.rollouts.start("m", 2, Plan("patient", (patient, Step(50))), "ann")

    def broken(write: Callable[..., object]) -> Callable[..., None]:
        def fails(*values: object) -> None:
            if written:
                write(*values)
            raise LifecycleError(LifecycleCode.UNAVAILABLE, "the connection is lost")

        return fails

    shadowed = 0
    for second in range(24):
        shadowed += world.rate * bool(world.fleet.table.models["m"].shadows)
        with monkeypatch.context() as lost:
            if second % 3:
                lost.setattr(world.store, "commit", broken(world.store.commit))
                lost.setattr(world.store, "save", broken(world.store.save))
            await world.run(1)
    await world.run(1)
    shadowed += world.rate
    assert world.phase() is Phase.SHADOW
    seen = [segment.canary.requests for segment in world.rollout.evidence.segments if segment.paired]
    assert seen == [shadowed]


async def test_a_table_follows_a_commit_whose_answer_was_lost(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.rollouts.start("m", 2, preset("quick"), "ann")
    commit = world.store.commit

    def lost(*values: Any) -> None:
        commit(*values)
        raise LifecycleError(LifecycleCode.UNAVAILABLE, "the connection is lost")

    with monkeypatch.context() as broken:
        broken.setattr(world.store, "commit", lost)
        await world.run(1)
    await world.run(40)
    assert world.phase() is Phase.PROMOTED
    assert world.actions() == STORY


def dies_at(n: int) -> Iterator[bool]:
    return (i == n for i in range(n + 1))


SWIFT = Plan(
    "swift",
    (Step(shadow=True, min_seconds=1, min_requests=1), Step(50, min_seconds=1, min_requests=1)),
    Guards(error_slo=0.3, error_margin=0.3, invalid_slo=0.3, invalid_margin=0.3),
    bake_seconds=1,
)


async def played(path: Path, life: Iterator[bool], errors: int) -> World:
    """Play a rollout to its end; whenever the controller dies, another one is started."""
    world = World(path, life, rate=4000)
    for _ in range(30):
        try:
            if not world.store.rollouts("m"):
                world.rollouts.start("m", 2, SWIFT, "ann")
            await world.run(1, errors=errors if world.phase() is Phase.STEP else 0)
            if not world.rollout.active and not world.publisher.stale:
                break
        except Crash:
            world.start()
    world.store.close()
    return world


@pytest.mark.parametrize("errors", [0, 1500], ids=["promoted", "rolled back"])
async def test_a_crash_at_any_point_changes_no_outcome(tmp_path: Path, errors: int) -> None:
    def told(world: World) -> tuple[object, ...]:
        return world.actions(), world.stages(), weights(world.fleet.table), world.phase()

    expected = told(await played(tmp_path / "whole", iter(()), errors))
    for n in range(200):
        life = dies_at(n)
        world = await played(tmp_path / str(n), life, errors)
        assert told(world) == expected
        assert verify(world.store.records(), world.store.head()) is None
        generations = [table.generation for table in world.fleet.published]
        assert generations == sorted(set(generations))
        world.store.close()
        if next(life, None) is not None:
            break
    assert n > 20, "a rollout has more points than that to die at"
