"""Follows what every model does: traffic by the second, drift, and accuracy once labels come.

Writes each alarm to the ledger once, when it is raised and when it is cleared. Changes nothing else: what
an alarm leads to is decided elsewhere.
"""

import asyncio
import time
from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

from gateway.core.profile import Profile
from gateway.core.summary import Window
from gateway.core.types import Role
from lifecycle.commands.learning.answered import arrived
from lifecycle.commands.lookup import active_rollout
from lifecycle.commands.trail import trail
from lifecycle.core.alarm import Alarm
from lifecycle.core.analysis.late import Late
from lifecycle.core.drift.live import LiveCounts
from lifecycle.core.drift.report import DriftReport
from lifecycle.core.history import KEPT_S, History, Point
from lifecycle.core.performance.change import Fall, Track
from lifecycle.core.performance.reference import Reference, reference_of
from lifecycle.core.performance.standing import Performance, stand
from lifecycle.core.rollouts.late import count, unsettled
from lifecycle.core.rollouts.rollout import Rollout
from lifecycle.core.verdict import Verdict
from lifecycle.core.version import Model
from lifecycle.errors import LifecycleError
from lifecycle.ports import CaptureLog, Entry, Store

ACTOR = "monitor"
NAMED_FEATURES = 20
"""A ledger record names so many of the drifted features, the largest effect first."""
MOMENT_S = 0.01
"""How long one call looks at models: the control loop must go on."""
MOST_POINTS = 360_000
"""Of all models' histories together: an hour of a hundred models, 6 minutes of a thousand."""


@dataclass(frozen=True, slots=True)
class Watch:
    """How closely to look. Shares are of rows.

    Args:
        every_s: time between two looks.
        alpha: false discovery rate of one look over all features.
        floor: population stability index from which a change counts.
        margin: loss of accuracy that is tolerated.
        cohort_s: length of a cohort in reports.
        labels_s: how far back labels that came are judged, whenever their predictions were made.
    """

    every_s: float = 2.0
    alpha: float = 0.05
    floor: float = 0.03
    margin: float = 0.05
    cohort_s: float = 10.0
    labels_s: float = 3_600.0


@dataclass(frozen=True, slots=True)
class Signals:
    """What stands now. `drift_since` is when the alarm was raised, Unix seconds; None while silent.

    `fall` is set while an accuracy alarm stands.
    """

    drift_since: float | None = None
    fall: Fall | None = None


@dataclass(slots=True)
class _Champion:
    """What is known of one model's champion. A new champion starts afresh.

    `late` is what came in about the rollout of this id.
    """

    version: int
    live: LiveCounts | None
    drift: Alarm = field(default_factory=Alarm)
    fell_at: float | None = None
    report: DriftReport | None = None
    performance: Performance | None = None
    late: tuple[str, Late] | None = None
    labels: int = 0


class Monitor:
    """Feed it windows as they come and let it look every now and then.

    Args:
        profiles: the reference profile of a model's version; None if it has none.
    """

    def __init__(
        self,
        store: Store,
        captures: CaptureLog,
        profiles: Callable[[str, int], Profile | None],
        watch: Watch | None = None,
    ) -> None:
        self._store = store
        self._captures = captures
        self._profiles = profiles
        self._watch = watch or Watch()
        self._history: dict[str, History] = {}
        self._champions: dict[str, _Champion] = {}
        self._looked_at = float("-inf")
        self._round: deque[str] = deque()

    def absorb(self, windows: Iterable[Window]) -> None:
        for window in windows:
            self._remember(window)
            champion = self._champions.get(window.model)
            if champion is None or champion.live is None:
                continue
            if window.role is Role.CHAMPION and window.version == champion.version:
                champion.live.add(window.counts)

    async def observe(self, now: float) -> None:
        """Look at every model in turn, at as many as a moment allows; the next call goes on from there.

        A round begins no sooner than a while after the last one began. Await one call before the next.
        """
        if not self._round and now - self._looked_at < self._watch.every_s:
            return
        models = {model.name: model for model in self._store.models()}
        if not self._round:
            self._looked_at = now
            self._round.extend(models)
        ends = time.monotonic() + MOMENT_S
        while self._round:
            model = models.get(self._round.popleft())
            champion = self._follow(model) if model else None
            if model is not None and champion is not None:
                self._look_for_drift(model.name, champion, now)
                await self._look_at_labels(model.name, champion, now)
            if time.monotonic() >= ends:
                break

    def _remember(self, window: Window) -> None:
        history = self._history.get(window.model)
        if history is None:
            history = self._history[window.model] = History()
            for other in self._history.values():
                other.kept = min(KEPT_S, MOST_POINTS // len(self._history))
        history.add(window)

    def series(self, model: str) -> list[Point]:
        """The last hour (less with very many models), a point per second with traffic, oldest first."""
        return self._history[model].points() if model in self._history else []

    def drift(self, model: str) -> DriftReport | None:
        """The last look at the champion; None before the first, and without a reference profile."""
        champion = self._champions.get(model)
        return champion.report if champion else None

    def performance(self, model: str) -> Performance | None:
        """The last look at the labels; None before there are any."""
        champion = self._champions.get(model)
        return champion.performance if champion else None

    def late(self, rollout: Rollout) -> Late | None:
        """What labels and numbers say of a rollout's two versions since the new one first answered, at the
        last look; None for nothing."""
        champion = self._champions.get(rollout.model)
        of, late = (champion.late if champion else None) or ("", None)
        return late if of == rollout.id else None

    def forget(self, model: str) -> None:
        """Look at the champion afresh: it has got a reference profile."""
        self._champions.pop(model, None)

    def signals(self, model: str) -> Signals:
        champion = self._champions.get(model)
        if champion is None:
            return Signals()
        fall = champion.performance.fall if champion.performance else None
        return Signals(champion.drift.since, fall)

    def alarms(self) -> dict[str, Signals]:
        """What stands, by model; models without an alarm are left out."""
        found = {model: self.signals(model) for model in self._champions}
        return {model: signals for model, signals in found.items() if signals != Signals()}

    def _follow(self, model: Model) -> _Champion | None:
        """The champion's state; a new champion's is empty."""
        known = self._champions.get(model.name)
        if known is not None and known.version == model.champion:
            return known
        if known is not None:
            self._stand_down(model.name, known)
        self._champions.pop(model.name, None)
        if not model.champion:
            return None
        try:
            profile = self._profiles(model.name, model.champion)
        except LifecycleError:  # its file is not here; the next round asks again
            return None
        fresh = _Champion(model.champion, LiveCounts(profile) if profile is not None else None)
        fresh.drift, fresh.fell_at = self._standing(model.name, model.champion)
        self._champions[model.name] = fresh
        return fresh

    def _stand_down(self, model: str, old: _Champion) -> None:
        detail = {"version": old.version, "reason": "a new champion serves"}
        if old.drift.since is not None:
            self._record("drift.cleared", model, detail)
        if old.fell_at is not None:
            self._record("performance.recovered", model, detail)

    def _standing(self, model: str, version: int) -> tuple[Alarm, float | None]:
        """Alarms that stood when the controller ended."""
        since: dict[str, float | None] = {}
        for record in trail(self._store, model):
            if record.actor == ACTOR and record.detail.get("version") == version:
                topic, _, event = record.kind.partition(".")
                since[topic] = record.at if event in ("detected", "fell") else None
        return Alarm(since.get("drift")), since.get("performance")

    def _look_for_drift(self, model: str, champion: _Champion, now: float) -> None:
        report = champion.live.judge(self._watch.alpha, self._watch.floor) if champion.live else None
        if report is None:
            return
        champion.report = report
        if report.verdict not in (Verdict.PASS, Verdict.FAIL):
            return
        before = champion.drift
        champion.drift = before.look(report.verdict is Verdict.FAIL, now)
        detail: dict[str, Any] = {"version": champion.version, "reason": report.reason, "rows": report.n}
        if before.since is None and champion.drift.since is not None:
            features = [feature.as_json() for feature in report.drifted[:NAMED_FEATURES]]
            self._record(
                "drift.detected", model, detail | {"drifted": len(report.drifted), "features": features}
            )
        elif before.since is not None and champion.drift.since is None:
            self._record("drift.cleared", model, detail)

    async def _look_at_labels(self, model: str, champion: _Champion, now: float) -> None:
        labels = self._captures.labels_count(model)
        if labels == champion.labels:
            return
        champion.labels = labels
        # An hour of labels takes a tenth of a second to read; nothing else should wait for that.
        performance, champion.late = await asyncio.to_thread(self._stand, model, champion, now)
        champion.performance = performance
        fall, before = performance.fall, champion.fell_at
        detail: dict[str, Any] = {"version": champion.version}
        # Without a second look: the detector holds however often one looks, and labels may come all at once.
        if before is None and fall is not None:
            champion.fell_at = now
            self._record("performance.fell", model, detail | fall.as_json())
        elif before is not None and fall is None:
            champion.fell_at = None
            self._record("performance.recovered", model, detail | {"reason": "answers are as good as before"})

    def _stand(
        self, model: str, champion: _Champion, now: float
    ) -> tuple[Performance, tuple[str, Late] | None]:
        since, rollout = now - self._watch.labels_s, active_rollout(self._store, model)
        if rollout is not None:
            since = min(since, unsettled(rollout))  # a guard judges all of its rollout's labels
        if (before := champion.performance) is not None:
            track = before.track
        else:
            track = Track.of(self._reference(model, champion.version), self._watch.margin)
        seen = arrived(self._captures, model, since, track.measure)
        stands = stand(champion.version, track, seen, width_s=self._watch.cohort_s, now=now)
        if rollout is None or rollout.canary_first_at is None:
            return stands, None
        return stands, (rollout.id, count(rollout, seen, self._reference(model, rollout.champion), now))

    def _reference(self, model: str, number: int) -> Reference | None:
        versions = {version.number: version for version in self._store.versions(model)}
        return reference_of(versions[number]) if number in versions else None

    def _record(self, kind: str, model: str, detail: dict[str, Any]) -> None:
        self._store.commit(Entry(ACTOR, kind, model, detail))
