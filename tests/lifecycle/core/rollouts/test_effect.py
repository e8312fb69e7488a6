"""What each action changes, and that an action repeated changes nothing more."""

from dataclasses import replace

import pytest

from lifecycle.core.rollouts.decision import Snapshot
from lifecycle.core.rollouts.effect import begun, effect, resumed, settled, stages
from lifecycle.core.rollouts.plan import preset
from lifecycle.core.rollouts.rollout import Action, Kind, Phase, Rollout
from lifecycle.core.stages import Event
from lifecycle.core.verdict import Finding, Verdict
from lifecycle.core.version import Model

ROLLOUT = Rollout("r", "m", 2, 1, preset("quick"), 0.0, "ann", previous=9, generation=3)
MODEL = Model("m", 5, 0.0, champion=1, previous=9, weights=((1, 100.0),), shadows=(7,))


@pytest.mark.parametrize("kind", list(Kind))
def test_a_repeated_action_reaches_the_same_state(kind: Kind) -> None:
    action = Action(kind, "", step=1, weight=10.0)
    once = effect(action, ROLLOUT, MODEL)
    twice = effect(action, ROLLOUT, once)
    assert replace(twice, revision=once.revision) == once
    assert once.revision == 6


@pytest.mark.parametrize("kind", list(Kind))
def test_shadows_set_by_hand_stay(kind: Kind) -> None:
    assert 7 in effect(Action(kind, "", weight=10.0), ROLLOUT, MODEL).shadows


def test_an_action_waits_for_confirmation_before_its_time_counts() -> None:
    after = begun(Action(Kind.SET_WEIGHT, "go", step=1, weight=10.0), ROLLOUT, 20.0, 8)
    assert (after.phase, after.step, after.generation, after.reason) == (Phase.STEP, 1, 8, "go")
    assert settled(Snapshot(after, 25.0, confirmed=False)).pending is not None
    done = settled(Snapshot(after, 25.0, confirmed=True))
    assert (done.pending, done.step_started_at) == (None, 25.0)


def test_a_decision_is_dated_once() -> None:
    baking = begun(Action(Kind.PROMOTE, "good"), replace(ROLLOUT, paused_at=1.0), 30.0, 9)
    assert (baking.decided_at, baking.paused) == (30.0, False)
    assert begun(Action(Kind.FINISH, ""), baking, 60.0, 10).decided_at == 30.0
    assert begun(Action(Kind.ROLL_BACK, ""), baking, 60.0, 10).decided_at == 60.0


def test_a_person_who_was_asked_and_lets_it_go_on_is_not_asked_again() -> None:
    numbers = {"log_e": 9.0, "threshold": 3.0}
    held = replace(ROLLOUT, phase=Phase.SHADOW, paused_at=10.0, deadline_at=50.0)
    asked = replace(held, findings=(Finding("disagreement", Verdict.INCONCLUSIVE, "half differ", numbers),))
    assert resumed(asked, 30.0).plan.guards.disagreement_hold == 1
    assert resumed(asked, 30.0).asked is None
    assert resumed(held, 30.0) == replace(held, paused_at=None, deadline_at=70.0)


def test_stages_follow_the_decision() -> None:
    assert stages(Action(Kind.PROMOTE, ""), ROLLOUT) == {2: Event.SERVE, 1: Event.STAND_DOWN}
    assert stages(Action(Kind.ROLL_BACK, "", rejects=True), ROLLOUT) == {2: Event.REJECT, 1: Event.SERVE}
    assert stages(Action(Kind.ABORT, ""), ROLLOUT) == {2: Event.STAND_DOWN, 1: Event.SERVE}
    assert stages(Action(Kind.SET_WEIGHT, "", step=1, weight=10.0), ROLLOUT) == {}
