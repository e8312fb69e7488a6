"""What the ledger says of trainings and of what people took back."""

from lifecycle.commands.learning.past import Past
from lifecycle.commands.rollouts import Rollouts
from lifecycle.commands.traffic import Traffic
from lifecycle.controller import Controller
from lifecycle.core.rollouts.plan import preset
from lifecycle.ports import Entry
from tests.lifecycle.one_model import Registry


async def test_a_rollback_by_hand_is_followed_until_the_version_serves_again(registry: Registry) -> None:
    traffic = Traffic(registry.store, registry.fleet, registry.publisher, registry.clock)
    past = Past.of(registry.store, "m")
    await traffic.set("m", {2: 100.0}, actor="ann")
    past.follow(registry.store, "m")
    assert (past.taken_back_at, past.taken_back) == (None, set())
    registry.now = 200.0
    await traffic.rollback("m", actor="ann")
    past.follow(registry.store, "m")
    assert (past.taken_back_at, past.taken_back) == (200.0, {2})
    assert Past.of(registry.store, "m") == past
    registry.now = 300.0
    await traffic.set("m", {2: 100.0}, actor="ann")
    past.follow(registry.store, "m")
    assert (past.taken_back_at, past.taken_back) == (200.0, set())


async def test_an_abort_is_a_persons_and_the_controllers_own_end_is_not(registry: Registry) -> None:
    rollouts = Rollouts(registry.store, registry.publisher, registry.clock)
    controller = Controller(registry.store, registry.fleet, registry.publisher)
    registry.fleet.broken = {("m", 3)}
    rollouts.start("m", 3, preset("quick"), "ann")
    for now in (101.0, 102.0):
        controller.tick(now, [])
    assert rollouts.show("m").phase == "rolled_back"
    assert Past.of(registry.store, "m").taken_back_at is None
    registry.now = 200.0
    rollouts.start("m", 2, preset("quick"), "ann")
    rollouts.abort("m", "bob")
    assert Past.of(registry.store, "m").taken_back_at == 200.0


def test_trainings_are_told_with_who_asked(registry: Registry) -> None:
    for registry.now, actor, kind in (
        (110.0, "ann", "started"),
        (120.0, "retraining", "failed"),
        (130.0, "retraining", "started"),
    ):
        registry.store.commit(Entry(actor, f"retrain.{kind}", "m"))
    past = Past.of(registry.store, "m")
    assert (past.started, past.asked_at, past.unfinished) == ((110.0, 130.0), 110.0, True)
