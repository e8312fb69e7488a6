"""What people may ask of a rollout, and what stands in the way."""

from collections.abc import Callable
from dataclasses import replace

import pytest

from lifecycle.commands.lookup import find_model
from lifecycle.commands.perform import perform
from lifecycle.commands.rollouts import Rollouts
from lifecycle.core.rollouts.plan import preset
from lifecycle.core.rollouts.rollout import Action, Kind, Phase
from lifecycle.core.verdict import Finding, Verdict
from lifecycle.core.version import Model
from lifecycle.errors import LifecycleCode, LifecycleError
from lifecycle.ports import Entry
from tests.lifecycle.one_model import Registry
from tests.lifecycle.world import kinds, version, weights

QUICK = preset("quick")


@pytest.fixture
def rollouts(registry: Registry) -> Rollouts:
    return Rollouts(registry.store, registry.publisher, registry.clock)


def refused(act: Callable[[], object]) -> LifecycleCode:
    with pytest.raises(LifecycleError) as error:
        act()
    return error.value.code


def test_a_start_is_noted_with_its_plan(registry: Registry, rollouts: Rollouts) -> None:
    rollout = rollouts.start("m", 2, QUICK, "ann")
    assert (rollout.champion, rollout.deadline_at, rollout.phase) == (1, 700.0, Phase.LOADING)
    assert rollouts.show("m") == rollout
    record = registry.store.records()[-1]
    assert (record.kind, record.actor, record.detail["plan"]["name"]) == ("rollout.start", "ann", "quick")


@pytest.mark.parametrize(
    ("model", "version", "code"),
    [
        ("x", 2, LifecycleCode.NOT_FOUND),
        ("m", 9, LifecycleCode.NOT_FOUND),
        ("m", 4, LifecycleCode.CONFLICT),
        ("m", 1, LifecycleCode.CONFLICT),
    ],
)
def test_a_start_that_makes_no_sense_is_refused(
    rollouts: Rollouts, model: str, version: int, code: LifecycleCode
) -> None:
    assert refused(lambda: rollouts.start(model, version, QUICK, "ann")) is code


def test_a_version_that_labels_spoke_for_asks_nobody(registry: Registry, rollouts: Rollouts) -> None:
    passed = Finding("accuracy", Verdict.PASS, "no worse", {"champion": 0.9})
    unlike = Finding("accuracy", Verdict.PASS, "there is no champion to compare with")
    model = find_model(registry.store, "m")
    versions = replace(version(2), evidence=(passed,)), replace(version(3), evidence=(unlike,))
    registry.publisher.commit(
        Entry("ann", "validated", "m", {}), replace(model, revision=model.revision + 1), *versions
    )
    assert rollouts.draft("m", 2, QUICK, "ann").plan.guards.disagreement_hold == 1
    assert rollouts.draft("m", 3, QUICK, "ann").plan == QUICK


def test_a_person_is_asked_once_and_the_answer_is_recorded(registry: Registry, rollouts: Rollouts) -> None:
    numbers = {"log_e": 9.0, "threshold": 3.0}
    asked = Finding("disagreement", Verdict.INCONCLUSIVE, "half of them differ", numbers)
    rollout = replace(rollouts.start("m", 2, QUICK, "ann"), phase=Phase.SHADOW, paused_at=100.0)
    registry.store.save(replace(rollout, findings=(asked,)))
    assert rollouts.resume("m", "bob").asked is None
    assert registry.store.records()[-1].detail["accepted"] == "half of them differ"


def test_a_model_has_one_rollout_at_a_time(rollouts: Rollouts) -> None:
    rollouts.start("m", 2, QUICK, "ann")
    assert refused(lambda: rollouts.start("m", 3, QUICK, "bob")) is LifecycleCode.CONFLICT


def test_a_split_by_hand_comes_first(registry: Registry, rollouts: Rollouts) -> None:
    model = registry.store.models("m")[0]
    split = replace(model, revision=2, weights=((1, 90.0), (3, 10.0)))
    registry.publisher.commit(Entry("ann", "traffic.set", "m"), split)
    assert refused(lambda: rollouts.start("m", 2, QUICK, "ann")) is LifecycleCode.CONFLICT


def test_a_model_without_traffic_says_what_to_do(registry: Registry, rollouts: Rollouts) -> None:
    moved = [replace(found, model="new") for found in registry.store.versions("m")]
    registry.store.commit(Entry("ann", "set up", "new"), Model("new", 1, 0.0), *moved)
    with pytest.raises(LifecycleError, match="headrace traffic set new 2=100"):
        rollouts.start("new", 2, QUICK, "ann")


def test_a_stale_revision_is_refused(rollouts: Rollouts) -> None:
    assert refused(lambda: rollouts.start("m", 2, QUICK, "ann", if_revision=7)) is LifecycleCode.STALE
    rollouts.start("m", 2, QUICK, "ann", if_revision=1)
    assert refused(lambda: rollouts.promote("m", "ann", if_revision=7)) is LifecycleCode.STALE
    assert refused(lambda: rollouts.abort("m", "ann", if_revision=7)) is LifecycleCode.STALE


def test_a_pause_moves_the_deadline(registry: Registry, rollouts: Rollouts) -> None:
    rollouts.start("m", 2, QUICK, "ann")
    assert rollouts.pause("m", "bob").paused
    registry.now = 150.0
    assert rollouts.pause("m", "bob").paused_at == 100.0
    resumed = rollouts.resume("m", "bob")
    assert (resumed.paused, resumed.deadline_at) == (False, 750.0)
    assert rollouts.resume("m", "bob") == resumed
    told = ["rollout.start", "rollout.pause", "rollout.resume"]
    assert kinds(registry.store.records())[1:] == told


def test_a_promotion_is_noted_and_ends_a_pause(rollouts: Rollouts) -> None:
    rollouts.start("m", 2, QUICK, "ann")
    rollouts.pause("m", "ann")
    rollout = rollouts.promote("m", "bob")
    assert (rollout.promoter, rollout.paused) == ("bob", False)


def test_a_promoted_version_is_not_promoted_again(registry: Registry, rollouts: Rollouts) -> None:
    rollout = rollouts.start("m", 2, QUICK, "ann")
    action = Action(Kind.PROMOTE, "good")
    perform(registry.store, registry.publisher, rollout, action, "controller", 101.0)
    assert refused(lambda: rollouts.promote("m", "bob")) is LifecycleCode.CONFLICT


def test_an_abort_acts_at_once(registry: Registry, rollouts: Rollouts) -> None:
    rollout = rollouts.start("m", 2, QUICK, "ann")
    action = Action(Kind.SET_WEIGHT, "", step=1, weight=10.0)
    perform(registry.store, registry.publisher, rollout, action, "controller", 101.0)
    assert weights(registry.fleet.table) == {1: 90, 2: 10}
    ended = rollouts.abort("m", "bob")
    assert (ended.phase, ended.reason) == (Phase.ABORTED, "aborted by bob")
    assert weights(registry.fleet.table) == {1: 100}


@pytest.mark.parametrize("command", ["pause", "resume", "promote", "abort"])
def test_nothing_can_be_done_to_a_rollout_that_ended(rollouts: Rollouts, command: str) -> None:
    rollouts.start("m", 2, QUICK, "ann")
    rollouts.abort("m", "ann")
    assert refused(lambda: getattr(rollouts, command)("m", "bob")) is LifecycleCode.CONFLICT


def test_the_last_rollout_is_shown(rollouts: Rollouts) -> None:
    assert refused(lambda: rollouts.show("m")) is LifecycleCode.NOT_FOUND
    rollouts.start("m", 2, QUICK, "ann")
    rollouts.abort("m", "ann")
    assert rollouts.show("m").version == 2
    rollouts.start("m", 3, QUICK, "ann")
    assert rollouts.show("m").version == 3
