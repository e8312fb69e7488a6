"""An action becomes one durable write, and then a table."""

from dataclasses import replace

from lifecycle.commands.perform import CONTROLLER, perform
from lifecycle.commands.rollouts import Rollouts
from lifecycle.core.rollouts.plan import preset
from lifecycle.core.rollouts.rollout import Action, Kind, Phase
from lifecycle.core.stages import Stage
from lifecycle.core.verdict import Finding, Verdict
from lifecycle.ports import Entry
from tests.lifecycle.one_model import Registry
from tests.lifecycle.world import weights


def start(registry: Registry) -> Rollouts:
    rollouts = Rollouts(registry.store, registry.publisher, registry.clock)
    rollouts.start("m", 2, preset("quick"), "ann")
    return rollouts


def test_everything_an_action_changes_is_written_and_published(registry: Registry) -> None:
    rollouts = start(registry)
    action = Action(Kind.PROMOTE, "all guards pass")
    after = perform(registry.store, registry.publisher, rollouts.show("m"), action, CONTROLLER, 120.0)
    assert rollouts.show("m") == after
    assert (after.phase, after.pending, after.decided_at) == (Phase.BAKE, action, 120.0)
    assert registry.stages() == {
        1: Stage.APPROVED,
        2: Stage.SERVING,
        3: Stage.APPROVED,
        4: Stage.REGISTERED,
    }
    assert weights(registry.fleet.table) == {2: 100}
    assert registry.fleet.table.generation > after.generation
    record = registry.store.records()[-1]
    assert (record.kind, record.actor) == ("rollout.promote", "controller")
    assert (record.detail["champion"], record.detail["held"]) == (2, [1, 2])
    assert record.detail["reason"] == "all guards pass"


def test_a_rejected_version_keeps_the_evidence_against_it(registry: Registry) -> None:
    finding = Finding("errors", Verdict.FAIL, "too many", {"canary_rate": 0.2})
    failing = replace(start(registry).show("m"), findings=(finding,))
    action = Action(Kind.ROLL_BACK, "errors", rejects=True)
    perform(registry.store, registry.publisher, failing, action, CONTROLLER, 120.0)
    rejected = registry.store.versions("m")[1]
    assert (rejected.stage, rejected.evidence) == (Stage.REJECTED, (finding,))


def test_a_version_retired_meanwhile_does_not_stand_in_the_way(registry: Registry) -> None:
    rollouts = start(registry)
    retired = replace(registry.store.versions("m")[1], stage=Stage.RETIRED)
    registry.store.commit(Entry("bob", "version.retire", "m"), retired)
    action = Action(Kind.ROLL_BACK, "errors", rejects=True)
    perform(registry.store, registry.publisher, rollouts.show("m"), action, CONTROLLER, 120.0)
    assert registry.stages()[2] is Stage.RETIRED
    assert weights(registry.fleet.table) == {1: 100}
