"""Rollouts told as text: what happens above a line, what the controller does below it.

Traffic is plentiful unless a scenario says otherwise, so that times come from the plans.

A block ends with the rollout's state. Commands:

    start plan=NAME [rate=REQUESTS_PER_SECOND] [at_deadline=hold] [label_margin=SHARE] [restart]
                                                           `restart` forgets all but JSON at every tick
    run SECONDS [errors=PERCENT] [nan=PERCENT] [ms=MEDIAN] what the new version does meanwhile
                [refused=PERCENT]                          and what its full queue turns away
                [wrong=PERCENT]                            and late labels; of the old one's 10 % are wrong
                [other=PERCENT]                            and classes in shadow that the old one does not
    workers ready|asleep|broken|full                       broken ones cannot load the version, full ones
                                                           have no room for it
    traffic REQUESTS_PER_SECOND
    pause | resume | promote | abort
"""

import json
from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from gateway.core.disagreement import Disagreement
from gateway.core.report import WorkerReport
from gateway.core.summary import Window
from gateway.core.types import Role
from lifecycle.core.analysis.late import Labelled, Late
from lifecycle.core.rollouts.absorb import absorb
from lifecycle.core.rollouts.decision import Snapshot, decide
from lifecycle.core.rollouts.effect import begun, effect, resumed, settled
from lifecycle.core.rollouts.plan import AtDeadline, preset
from lifecycle.core.rollouts.rollout import Action, Kind, Phase, Rollout
from lifecycle.core.verdict import Verdict
from lifecycle.core.version import Model
from tests.lifecycle.world import window

SCENARIOS = sorted(Path(__file__).parent.glob("*.txt"))
OLD, NEW = 1, 2


class Scenario:
    """A virtual clock, one model, and workers that apply a split one second after it is published."""

    def __init__(self) -> None:
        self.now = 0
        self.rate = 2000.0
        self.workers = "ready"
        self.applied = 0
        self.split = Model("m", 1, 0.0, OLD, 0, ((OLD, 100.0),))
        self.model = self.split
        self.restart = False
        self.owed: defaultdict[str, float] = defaultdict(float)
        self.rollout = Rollout("r", "m", NEW, OLD, preset("quick"), 0.0, "ann")

    def play(self, line: str) -> Iterator[str]:
        word, *rest = line.split()
        options = dict(part.split("=") for part in rest if "=" in part)
        plain = [part for part in rest if "=" not in part]
        if word == "start":
            at_deadline = AtDeadline(options.get("at_deadline", AtDeadline.ROLL_BACK))
            plan = replace(preset(options["plan"]), at_deadline=at_deadline)
            guards = replace(plan.guards, label_margin=float(options.get("label_margin", 1)))
            plan = replace(plan, guards=guards)
            self.rollout = replace(self.rollout, plan=plan, deadline_at=plan.deadline_seconds)
            self.rate = float(options.get("rate", 2000))
            self.restart = "restart" in plain
        elif word == "run":
            percents = {name: float(value.rstrip("%")) for name, value in options.items()}
            for _ in range(int(plain[0])):
                yield from self.second(percents)
        elif word == "workers":
            self.workers = plain[0]
        elif word == "traffic":
            self.rate = float(plain[0])
        else:
            yield from self.command(word)

    def command(self, word: str) -> Iterator[str]:
        if word == "pause":
            self.rollout = replace(self.rollout, paused_at=float(self.now))
        elif word == "resume":
            self.rollout = resumed(self.rollout, self.now)
        elif word == "promote":
            self.rollout = replace(self.rollout, promoter="ann", paused_at=None)
        else:
            assert word == "abort", word
            yield self.act(Action(Kind.ABORT, "aborted by ann"))

    def second(self, percents: dict[str, float]) -> Iterator[str]:
        self.now += 1
        windows = list(self.windows(percents))
        if self.workers != "asleep":
            self.applied, self.split = self.rollout.generation, self.model
        if self.restart:
            self.rollout = Rollout.from_json(json.loads(json.dumps(self.rollout.as_json())))
        seen = absorb(self.rollout, windows, late=self.late(percents))
        snapshot = Snapshot.of(seen, self.now, self.reports())
        self.rollout = settled(snapshot)
        if action := decide(replace(snapshot, rollout=self.rollout)):
            yield self.act(action)

    def act(self, action: Action) -> str:
        self.model = effect(action, self.rollout, self.model)
        self.rollout = begun(action, self.rollout, self.now, self.rollout.generation + 1)
        share = f" {action.weight:g}%" if action.kind is Kind.SET_WEIGHT else ""
        # The numbers of a verdict belong to the tests of the guards.
        failed = [finding.name for finding in self.rollout.findings if finding.verdict is Verdict.FAIL]
        reason = f"FAIL {', '.join(failed)}" if failed else action.reason
        return f"{self.now}s {action.kind}{share}: {reason}"

    def windows(self, percents: dict[str, float]) -> Iterator[Window]:
        copies = [(shadow, 100.0, Role.SHADOW) for shadow in self.split.shadows]
        live = [
            (number, weight, Role.CHAMPION if number == self.split.champion else Role.CANARY)
            for number, weight in self.split.weights
        ]
        for number, weight, role in live + copies:
            requests = self.whole(f"requests {number}", self.rate * weight / 100)
            ill = percents if number == NEW else {}
            errors = self.whole("errors", requests * ill.get("errors", 0) / 100)
            invalid = self.whole("nan", requests * ill.get("nan", 0) / 100)
            refused = self.whole("refused", requests * ill.get("refused", 0) / 100)
            yield window(
                number,
                role,
                self.applied,
                requests=requests,
                errors=errors,
                invalid=invalid,
                refused=refused,
                ms=ill.get("ms", 5.0),
                end=self.now,
            )
            if role is Role.SHADOW and "other" in ill:
                other = self.whole("other", requests * ill["other"] / 100)
                seen = Disagreement(requests, other, requests, other, {}, requests, float(other))
                yield Window.of_pairs(("m", number, role, self.applied), self.now, seen)

    def late(self, percents: dict[str, float]) -> Late | None:
        """All labels so far: 20 a second for the new version and 180 for the old one, while any come."""
        if "wrong" not in percents:
            return None
        ours, theirs = next(iter(self.rollout.evidence.late.labels), (Labelled(), Labelled()))
        new, old = Labelled(20, round(20 * percents["wrong"] / 100)), Labelled(180, 18)
        return Late(((_more(ours, new), _more(theirs, old)),))

    def whole(self, what: str, wanted: float) -> int:
        """Whole requests, the fraction owed to the next second."""
        due = self.owed[what] + wanted
        self.owed[what] = due - int(due)
        return int(due)

    def reports(self) -> list[WorkerReport]:
        held = frozenset(("m", number) for number in self.split.held)
        failed = {key: "it is broken" for key in held if key[1] == NEW and self.workers == "broken"}
        full = frozenset(key for key in held if key[1] == NEW and self.workers == "full")
        failed |= dict.fromkeys(full, "it takes 900 MiB")
        told = (self.applied, held - failed.keys(), failed)
        return [WorkerReport(name, *told, seen_at=self.now, no_room=full) for name in ("a", "b")]

    def state(self) -> str:
        rollout = self.rollout
        share = f" {dict(self.model.weights).get(NEW, 0.0):g}%" if rollout.phase is Phase.STEP else ""
        paused = ", paused" if rollout.paused else ""
        waiting = f", workers confirm {rollout.pending.kind}" if rollout.pending else ""
        return f"= {rollout.phase}{share}, {rollout.verdict}{paused}{waiting}"


def _more(seen: Labelled, new: Labelled) -> Labelled:
    return Labelled(seen.rows + new.rows, seen.loss + new.loss)


def told(text: str) -> str:
    """The scenario with what really happens below each line."""
    scenario, blocks = Scenario(), []
    for block in text.strip().split("\n\n"):
        above = block.split("\n----")[0]
        lines = [line for line in above.splitlines() if not line.startswith("#")]
        happened = [said for line in lines for said in scenario.play(line)]
        blocks.append("\n".join([above, "----", *happened, scenario.state()]))
    return "\n\n".join(blocks) + "\n"


@pytest.mark.parametrize("path", SCENARIOS, ids=lambda path: path.stem)
def test_it_happens_as_told(path: Path) -> None:
    assert told(path.read_text()) == path.read_text()


@pytest.mark.parametrize("path", SCENARIOS, ids=lambda path: path.stem)
def test_a_restart_at_every_tick_changes_nothing(path: Path) -> None:
    def outcome(edit: Callable[[str], str]) -> list[str]:
        text = "\n\n".join(edit(block) for block in path.read_text().strip().split("\n\n"))
        return [line for line in told(text).splitlines() if not line.startswith(("start", "#"))]

    assert outcome(lambda block: block.replace("start ", "start restart ")) == outcome(lambda block: block)
