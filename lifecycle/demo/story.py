"""The demo's story: serve, split, watch, retrain, swap, on real data under live traffic.

Everything that is decided is decided by the product; the story only acts as its users would, waits for
what must happen by itself, and fails if it does not.
"""

import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from lifecycle.client import Client
from lifecycle.demo.display import Display, Step
from lifecycle.demo.facts import Facts, Moment
from lifecycle.demo.processes import Callers, Cluster
from lifecycle.demo.scanner import world
from lifecycle.demo.versions import FIRST_RECIPE, RECIPE, train, write_bad
from lifecycle.errors import LifecycleCode, LifecycleError

MODEL = "digits"
SEED = 7
LEAST_REQUESTS = 50_000
STRAIGHT_TO_CANARY: dict[str, Any] = {
    "name": "straight-to-canary",
    "steps": [{"weight": 10, "min_seconds": 5, "min_requests": 200}],
}
ENDED = {"promoted", "rolled_back", "aborted"}
PHASES = {
    "loading": "is loaded by every worker, without traffic",
    "shadow": "gets a copy of every request; nobody sees its answers",
    "step": "answers {share:g} % of the requests",
    "bake": "answers everything; the version before it stays loaded for a while",
    "promoted": "is promoted for good",
    "rolled_back": "is rolled back: {reason}",
}


class DidNotHappen(Exception):
    """Something that should have happened by itself did not."""


class Story:
    """The chapters of the demo, told in order.

    Args:
        workdir: takes the trained models.
        facts: grows as the story goes.
    """

    def __init__(self, cluster: Cluster, workdir: Path, facts: Facts, display: Display) -> None:
        self._cluster = cluster
        self._workdir = workdir
        self._facts = facts
        self._display = display
        self._client = Client(cluster.admin, actor="demo")
        self._history = world(np.random.default_rng(SEED)).history
        self._callers: Callers | None = None

    def tell(self) -> None:
        """All of it. Raises DidNotHappen, or the error of the command that failed."""
        try:
            self._first_version()
            good = self._better_version()
            self._bad_version(good)
            self._worn_scanner()
            self._retrained_version()
            self._enough()
            self._ledger()
        finally:
            if self._callers is not None:
                self._callers.stop()

    def _first_version(self) -> None:
        with self._display.step("Train version 1 from a recipe and put it in service") as step:
            few = self._history.part(0, 100)
            model, reference = train(MODEL, FIRST_RECIPE, few, self._workdir / "v1")
            self._release(model, reference, step)
            step.detail = "version 1 has all traffic"
        with self._display.step("Callers start: HTTP JSON, HTTP binary, gRPC") as step:
            self._callers = Callers(self._cluster, MODEL, self._facts.seconds, SEED)
            self._await("traffic", 20, lambda: self._facts.sent > 2000, step)
            step.detail = f"{self._facts.seconds[-1].sent} requests/s"
            self._note("Three kinds of client call version 1", turn=True)

    def _better_version(self) -> Path:
        with self._display.step("Version 2, better: validate, shadow, canary, promote") as step:
            model, reference = train(MODEL, RECIPE, self._history, self._workdir / "v2")
            before = self._facts.accuracy(time.time() - 5)
            self._release(model, reference, step)
            self._follow("promoted", step)
            step.detail = "every guard passed at each step"
            self._facts.totals["Accuracy, version 1"] = f"{before:.1%}"
        return model

    def _bad_version(self, good: Path) -> None:
        with self._display.step("Version 3, bad: rolled back by its verdict") as step:
            model, reference = write_bad(good, self._history, self._workdir)
            number = self._client.register(MODEL, model, reference=reference)["number"]
            self._client.validate(MODEL, number)
            self._note(f"Version {number}, which is bad, goes straight to a canary of 10 %")
            self._client.start_rollout(MODEL, number, STRAIGHT_TO_CANARY)
            ended = self._follow("rolled_back", step)
            took = ended["decided_at"] - ended["canary_first_at"]
            step.detail = f"{took:.1f} s from its first canary request to the rollback"
            self._facts.totals["First canary request to rollback, version 3"] = f"{took:.1f} s"

    def _worn_scanner(self) -> None:
        assert self._callers is not None
        with self._display.step("The scanner wears out: drift is detected") as step:
            before = self._facts.accuracy(time.time() - 8)
            self._facts.totals["Accuracy, version 2, before"] = f"{before:.1%}"
            worn_at = time.time()
            self._callers.wear_out()
            self._note("The scanner wears out: low contrast, blur, slight rotation", turn=True)
            self._await("drift", 60, self._drifted, step)
            took = time.time() - worn_at
            step.detail = f"after {took:.1f} s: {_moved(self._facts.moved)}"
            self._facts.totals["Wear to drift detected"] = f"{took:.1f} s"
            self._facts.totals["What moved"] = _moved(self._facts.moved)
            self._note(f"Drift detected: {_moved(self._facts.moved)}", turn=True)
        with self._display.step("Late labels come in: accuracy is seen to fall") as step:
            self._await("a fall of accuracy", 60, lambda: self._recorded("performance.fell", worn_at), step)
            during = self._facts.accuracy(worn_at + 1)
            step.detail = f"{before:.1%} → {during:.1%}, {time.time() - worn_at:.1f} s after the wear"
            self._facts.totals["Accuracy, version 2, worn scanner"] = f"{during:.1%}"
            self._facts.totals["Wear to accuracy seen to fall"] = f"{time.time() - worn_at:.1f} s"
            self._note("Late labels show the fall of accuracy; retraining begins by itself", turn=True)

    def _retrained_version(self) -> None:
        last = max(version["number"] for version in self._client.versions(MODEL))
        with self._display.step("Retrain from labelled captures") as step:
            self._await("a retrained version", 90, lambda: self._newest() > last, step)
            step.detail = f"version {self._newest()}, in the background"
            self._note(f"Version {self._newest()} comes out of retraining", turn=True)
        with self._display.step("The retrained version: validate, canary, promote") as step:
            self._await("its rollout", 60, lambda: self._client.rollout(MODEL)["version"] > last, step)
            ended = self._follow("promoted", step)
            promoted_at = time.time()
            self._await("traffic on it", 30, lambda: time.time() > promoted_at + 6, step)
            after = self._facts.accuracy(promoted_at + 0.5)
            step.detail = f"version {ended['version']}: accuracy {after:.1%}"
            self._facts.totals[f"Accuracy, version {ended['version']}, worn scanner"] = f"{after:.1%}"
            during = self._facts.accuracy(promoted_at - 40, promoted_at - 30)
            if not after > during:
                raise DidNotHappen(f"accuracy did not recover: {during:.1%} before, {after:.1%} after")

    def _enough(self) -> None:
        with self._display.step(f"Callers go on to {LEAST_REQUESTS:,} requests") as step:
            self._await("the last of them", 180, lambda: self._facts.sent >= LEAST_REQUESTS, step)
            step.detail = f"{self._facts.sent:,} sent, {self._facts.failed} failed"

    def _ledger(self) -> None:
        with self._display.step("Verify the ledger") as step:
            answer = self._client.verify()
            if not answer["ok"]:
                raise DidNotHappen(f"the ledger does not verify: {answer}")
            step.detail = f"{answer['records']} records, unbroken"
            self._facts.totals["Ledger"] = step.detail

    def _release(self, model: Path, reference: Path, step: Step) -> None:
        step.detail = "registering"
        number = self._client.register(MODEL, model, reference=reference, recipe=RECIPE)["number"]
        step.detail = f"version {number}: validating"
        self._client.validate(MODEL, number)
        self._note(f"Version {number} is registered and passes validation")
        step.detail = f"version {number}: deploying"
        self._client.deploy(MODEL, number)

    def _follow(self, outcome: str, step: Step) -> dict[str, Any]:
        seen = ""
        deadline = time.monotonic() + 120
        while time.monotonic() < deadline:
            self._sample()
            rollout = self._client.rollout(MODEL)
            phase = rollout["phase"]
            share = rollout["weight"]
            step.detail = f"version {rollout['version']}: {phase}" + (f" at {share:g} %" if share else "")
            if step.detail != seen:
                seen = step.detail
                told = PHASES.get(phase, phase).format(share=share, reason=rollout["reason"])
                self._note(f"Version {rollout['version']} {told}", turn=phase in ENDED)
            if phase in ENDED:
                if phase != outcome:
                    raise DidNotHappen(f"version {rollout['version']} {phase}: {rollout['reason']}")
                return rollout
            time.sleep(0.3)
        raise DidNotHappen(f"the rollout did not end: {step.detail}")

    def _await(self, what: str, timeout_s: float, happened: Callable[[], bool], step: Step) -> None:
        step.detail = f"waiting for {what}"
        deadline = time.monotonic() + timeout_s
        while not happened():
            if self._callers is not None and not self._callers.alive:
                raise DidNotHappen("the callers ended early")
            if time.monotonic() > deadline:
                raise DidNotHappen(f"{what} did not come within {timeout_s:.0f} s")
            self._sample()
            time.sleep(0.3)

    def _drifted(self) -> bool:
        report = self._client.drift(MODEL)
        moved = [f for f in report.get("features", []) if f["drifted"]]
        if not self._recorded("drift.detected", self._facts.started_at):
            return False
        ranked = sorted(((f["name"], f["effect"]) for f in moved), key=lambda pair: -pair[1])
        self._facts.moved = ranked
        return bool(ranked)

    def _sample(self) -> None:
        """Remember how far the features are from the reference, for the report's chart."""
        if self._facts.drift and time.time() - self._facts.drift[-1][0] < 1:
            return
        try:
            features = self._client.drift(MODEL).get("features", [])
        except LifecycleError as error:
            if error.code is not LifecycleCode.NOT_FOUND:
                raise
            return
        effect = max((feature["effect"] for feature in features), default=0.0)
        self._facts.drift.append((time.time(), effect))

    def _recorded(self, kind: str, since: float) -> bool:
        return any(r["kind"] == kind and r["at"] >= since for r in self._client.audit(MODEL, limit=500))

    def _newest(self) -> int:
        return max(int(version["number"]) for version in self._client.versions(MODEL))

    def _note(self, what: str, *, turn: bool = False) -> None:
        self._facts.moments.append(Moment(time.time(), what, turn))


def _moved(features: Sequence[tuple[str, float]]) -> str:
    """Drifted features in words: pixels of the scans, and the mix of what is answered."""
    pixels = [name for name, _ in features if name.startswith("input[")]
    answers = [f"{name} {effect:.2f}" for name, effect in features if name not in pixels]
    said = f"{len(pixels)} pixels" + (f", most of all {', '.join(pixels[:3])}" if pixels else "")
    return said + (f"; predicted-class mix ({', '.join(answers)})" if answers else "")
