"""In a freeze nothing that changes traffic begins, by people or by itself; going back is always possible."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from lifecycle.commands.governance.calendar import Calendar
from lifecycle.commands.rollouts import Rollouts
from lifecycle.commands.traffic import Traffic
from lifecycle.controller import Controller
from lifecycle.core.governance.freeze import Freeze
from lifecycle.core.rollouts.plan import preset
from lifecycle.core.rollouts.rollout import Phase
from lifecycle.errors import LifecycleCode, LifecycleError
from tests.lifecycle.one_model import Registry, opened
from tests.lifecycle.world import weights

BEGINS, ENDS = 1_000.0, 2_000.0
FREEZE = Freeze("audit", datetime.fromtimestamp(BEGINS, UTC), datetime.fromtimestamp(ENDS, UTC))


@dataclass
class House:
    registry: Registry
    calendar: Calendar
    traffic: Traffic
    rollouts: Rollouts
    controller: Controller

    async def tick(self, now: float) -> None:
        for moment in (now, now + 0.1, now + 0.2):
            self.registry.now = moment
            self.controller.tick(moment, [])

    def weights(self) -> dict[int, float]:
        return weights(self.registry.fleet.table)


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    with opened(tmp_path) as registry:
        parts = registry.store, registry.fleet, registry.publisher
        calendar = Calendar(registry.store, [FREEZE], registry.clock)
        yield House(
            registry,
            calendar,
            Traffic(*parts, registry.clock, calendar),
            Rollouts(registry.store, registry.publisher, registry.clock, calendar),
            Controller(*parts, frozen=lambda model: calendar.freeze(model) is not None),
        )


async def test_people_cannot_change_traffic_in_a_freeze(house: House) -> None:
    house.registry.now = BEGINS
    with pytest.raises(LifecycleError, match=r"frozen until 1970-01-01 00:33 UTC \(`audit`\)") as refused:
        await house.traffic.set("m", {1: 90.0, 2: 10.0}, actor="ann")
    assert refused.value.code is LifecycleCode.CONFLICT
    with pytest.raises(LifecycleError, match="frozen"):
        house.rollouts.start("m", 2, preset("quick"), "ann")
    assert (await house.traffic.set("m", {2: 100.0}, dry_run=True, actor="ann")).model.champion == 2
    assert house.weights() == {1: 100.0}
    house.registry.now = ENDS
    await house.traffic.set("m", {1: 90.0, 2: 10.0}, actor="ann")


async def test_an_override_is_recorded_before_the_change(house: House) -> None:
    house.registry.now = BEGINS
    await house.traffic.set("m", {2: 100.0}, override="card outage", actor="boss")
    records = house.registry.store.records("m")
    record = next(one for one in records if one.kind == "freeze.overridden")
    assert record.actor == "boss"
    assert record.detail == {"freeze": "audit", "doing": "traffic.set", "reason": "card outage"}
    assert (records[-1].kind, records[-1].seq > record.seq) == ("traffic.set", True)


async def test_going_back_is_possible_in_a_freeze(house: House) -> None:
    await house.traffic.set("m", {2: 100.0}, actor="ann")
    house.registry.now = BEGINS
    await house.traffic.rollback("m", actor="ann")
    assert house.weights() == {1: 100.0}


async def test_a_rollout_stands_still_in_a_freeze_and_goes_on_after_it(house: House) -> None:
    house.registry.now = BEGINS - 1
    house.rollouts.start("m", 2, preset("manual"), "ann")
    await house.tick(BEGINS)
    held = house.rollouts.show("m")
    assert held.phase is Phase.LOADING
    assert house.calendar.holds(held) == "traffic is frozen until 1970-01-01 00:33 UTC (`audit`)"
    assert house.calendar.holds(replace(held, phase=Phase.BAKE)) == ""
    assert house.weights() == {1: 100.0}
    with pytest.raises(LifecycleError, match="frozen"):
        house.rollouts.promote("m", "ann")
    await house.tick(ENDS)
    assert house.rollouts.show("m").phase is not Phase.LOADING
    assert house.calendar.holds(house.rollouts.show("m")) == ""


async def test_a_rollout_can_be_aborted_in_a_freeze(house: House) -> None:
    house.registry.now = BEGINS - 1
    house.rollouts.start("m", 2, preset("quick"), "ann")
    await house.tick(BEGINS - 0.9)
    house.registry.now = BEGINS
    assert house.rollouts.abort("m", "ann").phase is Phase.ABORTED


async def test_a_rollout_that_an_admin_started_goes_on(house: House) -> None:
    house.registry.now = BEGINS
    started = house.rollouts.start("m", 2, preset("manual"), "boss", override="card outage")
    assert started.overrides
    assert house.calendar.holds(started) == ""
    await house.tick(BEGINS + 1)
    assert house.rollouts.show("m").phase is not Phase.LOADING
