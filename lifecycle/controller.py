"""The control loop of rollouts: observe, decide, journal, act. Never waits for a worker."""

import asyncio
import contextlib
import logging
import time
from collections import deque
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import replace
from functools import reduce

from gateway.core.summary import Window, WindowKey
from lifecycle.commands.perform import CONTROLLER, perform
from lifecycle.commands.publish import Publisher
from lifecycle.core.analysis.evidence import Arm, Evidence
from lifecycle.core.analysis.late import Late
from lifecycle.core.recent import Rates, Recent, per_second
from lifecycle.core.rollouts.absorb import Bins, absorb
from lifecycle.core.rollouts.decision import Snapshot, decide
from lifecycle.core.rollouts.effect import settled
from lifecycle.core.rollouts.rollout import Rollout
from lifecycle.core.verdict import Finding, Verdict
from lifecycle.errors import LifecycleError
from lifecycle.ports import Fleet, Store

log = logging.getLogger(__name__)

SAVE_EVERY_S = 1.0
"""How much evidence a crash may cost."""
MOMENT_S = 0.015
"""How long rollouts hold up commands and workers, before these get their turn."""
IDLE_S = 1.0
"""How long the loop rests at most while there is nothing to look at: each turn takes time from requests."""
TURN_S = 0.003
"""How long that is: a command takes several rounds of the event loop."""


class Controller:
    """Drives every active rollout. Holds nothing that a restart could not do without.

    Args:
        bins: how the outputs of a rollout's two versions compare; None if they cannot be compared.
        frozen: whether a model's traffic may not change now, but for going back.
        late: what came in late about the two versions' live answers; None if nothing.
    """

    def __init__(
        self,
        store: Store,
        fleet: Fleet,
        publisher: Publisher,
        bins: Callable[[Rollout], Bins | None] = lambda _: None,
        frozen: Callable[[str], bool] = lambda _: False,
        late: Callable[[Rollout], Late | None] = lambda _: None,
    ) -> None:
        self._store = store
        self._fleet = fleet
        self._publisher = publisher
        self._bins = bins
        self._frozen = frozen
        self._late = late
        self._recent = Recent()
        self._round: deque[str] = deque()
        self._idle = False
        self._called = asyncio.Event()
        self._unsaved: dict[str, dict[WindowKey, Window]] = {}
        self._doubtful: dict[str, tuple[Evidence, dict[WindowKey, Window]]] = {}
        """Of writes that failed: the evidence as it would be, and the windows that it took in."""
        self._saved_at: dict[str, float] = {}

    def tick(self, now: float, windows: Sequence[Window]) -> None:
        """Look at every active rollout in turn, at as many as a moment allows; the next tick goes on there.

        Args:
            now: Unix time in seconds, from a clock that does not jump while this process lives.
            windows: all that workers reported since the last tick.
        """
        if self._publisher.stale:
            self._publisher.publish()
        self._called.clear()
        self._recent.add(windows, now)
        rollouts = {rollout.model: rollout for rollout in self._store.rollouts(active=True)}
        self._idle = not rollouts
        self._keep(rollouts.values(), windows)
        self._round = self._round or deque(rollouts)
        ends = time.monotonic() + MOMENT_S
        while self._round:
            if rollout := rollouts.get(self._round.popleft()):
                self._advance(rollout, now)
            if time.monotonic() >= ends:
                break

    async def wait(self, tick_s: float) -> None:
        """Rest for `tick_s` seconds, and while there is no rollout until there is something to look at.

        While rollouts wait for their turn, only until commands and workers have had theirs.
        """
        await asyncio.sleep(TURN_S if self._round else max(0.0, tick_s))
        if self._idle:
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._called.wait(), IDLE_S)

    def call(self) -> None:
        """There is something: a new rollout, or what workers saw."""
        self._called.set()

    def rates(self, model: str) -> list[Rates]:
        """What a model's versions did in the last minute or two."""
        return self._recent.rates(model)

    def champion_now(self, rollout: Rollout) -> tuple[Arm, float]:
        """What the champion did in the last minute or two, and its requests per second."""
        windows = self._recent.of(rollout.model, rollout.champion)
        bins = self._bins(rollout)
        arms = (Arm.of(window, bins[0] if bins else None) for window in windows)
        return reduce(Arm.merge, arms, Arm.EMPTY), per_second(windows)

    def _advance(self, rollout: Rollout, now: float) -> None:
        self._recall(rollout)
        seen = self._seen(rollout)
        frozen = self._frozen(rollout.model)
        snapshot = Snapshot.of(seen, now, self._fleet.workers(), frozen=frozen)
        current = settled(snapshot)
        try:
            if action := decide(replace(snapshot, rollout=current)):
                perform(self._store, self._publisher, current, action, CONTROLLER, now)
                log.info("model %s: %s: %s", rollout.model, action.kind, action.reason)
            elif current is seen and now - self._saved_at.get(rollout.id, 0.0) < SAVE_EVERY_S:
                return
            elif current is not rollout:
                self._store.save(current)
            self._unsaved.pop(rollout.id, None)
            self._saved_at[rollout.id] = now
        except LifecycleError as error:
            # The next tick decides anew from what is stored then, whether or not this was.
            self._doubtful[rollout.id] = current.evidence, self._unsaved.pop(rollout.id, {})
            log.warning("model %s: the rollout could not go on: %s", rollout.model, error)

    def _recall(self, rollout: Rollout) -> None:
        """Take up windows again whose saving failed, unless they were saved all the same."""
        evidence, windows = self._doubtful.pop(rollout.id, (rollout.evidence, {}))
        if evidence != rollout.evidence:
            self._hold(rollout.id, windows.values())

    def _seen(self, rollout: Rollout) -> Rollout:
        try:
            late = self._late(rollout)
            return absorb(rollout, self._windows(rollout), self._bins(rollout), late)
        except Exception as error:
            # Not to know must hold this rollout only, and must not keep it from its deadline.
            if isinstance(error, LifecycleError):
                reason = error.message
            else:
                log.exception("model %s: the evidence could not be judged", rollout.model)
                reason = "the evidence could not be judged; the controller's log says why"
            return replace(rollout, findings=(Finding("evidence", Verdict.ERROR, reason),))

    def _keep(self, rollouts: Collection[Rollout], windows: Sequence[Window]) -> None:
        """Hold windows in memory until they are saved as evidence."""
        ids = {rollout.model: rollout.id for rollout in rollouts}
        for kept in (self._unsaved, self._doubtful, self._saved_at):
            for gone in kept.keys() - ids.values():
                del kept[gone]
        for window in windows:
            if window.model in ids:
                self._hold(ids[window.model], (window,))

    def _hold(self, rollout: str, windows: Iterable[Window]) -> None:
        waiting = self._unsaved.setdefault(rollout, {})
        for window in windows:
            held = waiting.get(window.key)
            waiting[window.key] = held.merge(window) if held else window

    def _windows(self, rollout: Rollout) -> list[Window]:
        if rollout.generation == 0 and not rollout.evidence.reference.requests:
            return self._recent.of(rollout.model, rollout.champion)  # the unsaved ones are among them
        return list(self._unsaved.get(rollout.id, {}).values())
