"""The one next action, and what no sequence of events may break."""

import json
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.core.report import WorkerReport
from gateway.core.types import Role
from lifecycle.core.rollouts.absorb import absorb
from lifecycle.core.rollouts.decision import Snapshot, decide
from lifecycle.core.rollouts.effect import begun, effect, settled
from lifecycle.core.rollouts.plan import PRESETS, AtDeadline, preset
from lifecycle.core.rollouts.rollout import Action, Kind, Phase, Rollout
from lifecycle.core.verdict import Finding, Verdict
from lifecycle.core.version import Model
from tests.lifecycle.world import window

START = Rollout("r", "m", 2, 1, preset("quick"), 0.0, "ann", deadline_at=600.0)
STEP = replace(START, phase=Phase.STEP, step=1, generation=5, step_started_at=10.0)


def judged(verdict: Verdict, name: str = "errors") -> tuple[Finding, ...]:
    return (Finding(name, verdict, "seen"),)


def kind(rollout: Rollout, now: float = 11.0, *, confirmed: bool = True) -> Kind | None:
    action = decide(Snapshot(rollout, now, confirmed))
    return action.kind if action else None


def test_the_first_action_is_to_load() -> None:
    assert kind(START, 0.0) is Kind.LOAD


@pytest.mark.parametrize("verdict", [Verdict.INCONCLUSIVE, Verdict.ERROR, Verdict.PASS])
def test_only_a_fail_rolls_back(verdict: Verdict) -> None:
    assert kind(replace(STEP, findings=judged(verdict))) is None
    assert kind(replace(STEP, findings=judged(Verdict.FAIL))) is Kind.ROLL_BACK


@pytest.mark.parametrize("phase", [Phase.SHADOW, Phase.STEP, Phase.BAKE])
def test_a_fail_rolls_back_even_while_paused_or_unconfirmed(phase: Phase) -> None:
    failing = replace(STEP, phase=phase, findings=judged(Verdict.FAIL), paused_at=1.0)
    action = decide(Snapshot(replace(failing, pending=Action(Kind.SET_WEIGHT, "")), 11.0, False))
    assert action is not None
    assert (action.kind, action.rejects) == (Kind.ROLL_BACK, True)


def test_in_a_freeze_a_bake_comes_to_its_end_harm_goes_back_and_nothing_else_begins() -> None:
    def in_freeze(rollout: Rollout, now: float = 11.0) -> Kind | None:
        action = decide(Snapshot(rollout, now, True, frozen=True))
        return action.kind if action else None

    baking = replace(STEP, phase=Phase.BAKE)
    over = STEP.step_started_at + STEP.plan.bake_seconds
    assert [in_freeze(baking, over - 0.1), in_freeze(baking, over)] == [None, Kind.FINISH]
    assert in_freeze(replace(baking, findings=judged(Verdict.FAIL))) is Kind.ROLL_BACK
    cleared = replace(STEP, findings=judged(Verdict.PASS), promoter="ann")
    assert (in_freeze(cleared), kind(cleared)) == (None, Kind.PROMOTE)
    assert in_freeze(STEP, 600.0) is Kind.ROLL_BACK, "its deadline waits for no freeze"


def test_the_deadline_waits_for_a_pause_and_not_for_workers() -> None:
    late = replace(STEP, pending=Action(Kind.SET_WEIGHT, ""))
    assert kind(late, 600.0, confirmed=False) is Kind.ROLL_BACK
    assert kind(replace(late, paused_at=1.0), 600.0) is None
    assert kind(replace(STEP, phase=Phase.BAKE, pending=Action(Kind.PROMOTE, "")), 600.0) is None


def test_a_plan_may_hold_at_its_deadline_for_a_person_to_decide() -> None:
    patient = replace(STEP, plan=replace(STEP.plan, at_deadline=AtDeadline.HOLD))
    action = decide(Snapshot(patient, 600.0, True))
    assert action is not None
    assert action.kind is Kind.HOLD
    model = Model("m", 3, 0.0, champion=1, weights=((1, 90.0), (2, 10.0)))
    assert effect(action, patient, model) == replace(model, revision=4)
    held = begun(action, patient, 600.0, 9)
    assert (held.phase, held.step, held.generation) == (Phase.STEP, 1, 5)
    assert (held.paused, held.deadline_at) == (True, None)
    assert kind(held, 1e9) is None
    assert kind(replace(held, paused_at=None, findings=judged(Verdict.FAIL)), 1e9) is Kind.ROLL_BACK


def test_running_out_of_time_does_not_reject_the_version() -> None:
    action = decide(Snapshot(STEP, 600.0, True))
    assert action is not None
    assert not action.rejects


@pytest.mark.parametrize("phase", [Phase.PROMOTED, Phase.ROLLED_BACK, Phase.ABORTED])
def test_a_rollout_that_ended_stays_ended(phase: Phase) -> None:
    assert kind(replace(STEP, phase=phase, findings=judged(Verdict.FAIL)), 1e9) is None


def test_failed_workers_count_once_they_saw_the_split() -> None:
    good, bad = frozenset[tuple[str, int]](), {("m", 2): "it is broken"}
    old, new = WorkerReport("a", 4, good, bad), WorkerReport("b", 5, good, bad)
    assert Snapshot.of(STEP, 0.0, [old]).failed == ()
    assert Snapshot.of(STEP, 0.0, [old, new]).failed == ("b",)


def test_one_broken_load_outweighs_any_want_of_room() -> None:
    key, none = ("m", 2), frozenset[tuple[str, int]]()
    full = WorkerReport("a", 5, none, {key: "it takes 9 GiB"}, no_room=frozenset({key}))
    broken = WorkerReport("b", 5, none, {key: "it is broken"})
    first = replace(STEP, phase=Phase.LOADING, step=-1)
    both, one = (Snapshot.of(first, 0.0, reports) for reports in ([full, broken], [full]))
    rejected, held = decide(both), decide(one)
    assert rejected is not None
    assert (rejected.kind, rejected.rejects) == (Kind.ROLL_BACK, True)
    assert held is not None
    assert (held.kind, "no room: it takes 9 GiB" in held.reason) == (Kind.HOLD, True)


def test_a_split_is_confirmed_by_every_live_worker() -> None:
    held = frozenset({("m", 2)})
    old, new = WorkerReport("a", 4, held), WorkerReport("b", 5, held)
    assert not Snapshot.of(STEP, 0.0, []).confirmed
    assert not Snapshot.of(STEP, 0.0, [old, new]).confirmed
    assert not Snapshot.of(STEP, 0.0, [replace(new, held=frozenset())]).confirmed
    assert Snapshot.of(STEP, 0.0, [new]).confirmed


EVENTS = st.one_of(
    st.tuples(st.just("tick"), st.sampled_from([1, 5, 60, 700])),
    st.tuples(st.just("traffic"), st.sampled_from(["good", "bad", "none"])),
    st.tuples(st.just("workers"), st.sampled_from(["apply", "none", "broken", "full"])),
    st.tuples(st.just("person"), st.sampled_from(["pause", "resume", "promote", "abort"])),
    st.tuples(st.just("crash"), st.just("")),
)


class Run:
    """A rollout driven by arbitrary events; `check` is what must hold after each."""

    def __init__(self, plan: str, at_deadline: AtDeadline) -> None:
        self.now = 0.0
        followed = replace(preset(plan), at_deadline=at_deadline)
        self.model = Model("m", 1, 0.0, champion=1, weights=((1, 100.0),))
        self.rollout = replace(START, plan=followed, deadline_at=followed.deadline_seconds)
        self.applied, self.broken, self.full, self.workers = 0, False, False, 1
        self.ends = 0

    def handle(self, event: str, what: object) -> None:
        if event == "traffic" and what != "none":
            self.traffic(errors=90 if what == "bad" else 0)
        elif event == "workers":
            self.workers, self.broken, self.full = int(what != "none"), what == "broken", what == "full"
            self.applied = self.rollout.generation
        elif event == "person":
            self.person(str(what))
        elif event == "crash":
            self.rollout = Rollout.from_json(json.loads(json.dumps(self.rollout.as_json())))
        elif event == "tick" and isinstance(what, int):
            self.now += what
        self.step()
        self.check()

    def traffic(self, errors: int) -> None:
        roles = {Phase.SHADOW: Role.SHADOW, Phase.BAKE: Role.CHAMPION}
        role = roles.get(self.rollout.phase, Role.CANARY)
        seen = [
            window(1, Role.CHAMPION, self.applied, requests=1500),
            window(2, role, self.applied, requests=1500, errors=errors),
        ]
        self.rollout = absorb(self.rollout, seen)

    def person(self, wish: str) -> None:
        if not self.rollout.active:
            return
        if wish == "abort":
            self.act(Action(Kind.ABORT, "aborted"))
        elif wish == "promote":
            self.rollout = replace(self.rollout, promoter="ann", paused_at=None)
        else:
            self.rollout = replace(self.rollout, paused_at=self.now if wish == "pause" else None)

    def step(self) -> None:
        key = ("m", 2)
        ill = self.broken or self.full
        held, failed = (frozenset({key}), {}) if not ill else (frozenset(), {key: "it is ill"})
        full = frozenset({key}) if self.full else frozenset()
        reports = [WorkerReport("a", self.applied, held, failed, no_room=full)] * self.workers
        snapshot = Snapshot.of(self.rollout, self.now, reports)
        assert decide(snapshot) == decide(snapshot)
        self.rollout = settled(snapshot)
        if action := decide(replace(snapshot, rollout=self.rollout)):
            self.act(action)

    def act(self, action: Action) -> None:
        before = self.rollout
        self.model = effect(action, before, self.model)
        self.rollout = begun(action, before, self.now, before.generation + 1)
        self.ends += not self.rollout.active
        if action.kind in (Kind.SHADOW, Kind.SET_WEIGHT, Kind.PROMOTE):
            assert before.pending is None, "a step was taken before the last one was confirmed"

    def check(self) -> None:
        weights = dict(self.model.weights)
        assert sum(weights.values()) == pytest.approx(100)
        assert self.model.champion in self.model.loaded()
        assert self.model.champion in weights
        assert len(weights.keys() - {self.model.champion}) <= 1
        assert self.ends == (not self.rollout.active)
        if self.rollout.active:
            assert 1 in self.model.loaded(), "the old champion must stay hot until the end"
        elif self.rollout.phase is Phase.PROMOTED:
            assert (weights, self.model.loaded()) == ({2: 100}, {2})
        else:
            assert (weights, self.model.loaded()) == ({1: 100}, {1})


@settings(max_examples=100, deadline=None)
@given(st.sampled_from(sorted(PRESETS)), st.sampled_from(AtDeadline), st.lists(EVENTS, max_size=40))
def test_no_sequence_of_events_breaks_the_invariants(
    plan: str, at_deadline: AtDeadline, events: list[tuple[str, object]]
) -> None:
    run = Run(plan, at_deadline)
    for event, what in events:
        run.handle(event, what)
