"""A control plane at work: the product's own commands and controller, with workers that obey at once.

Versions with an even number answer badly once they have live traffic, the others never do.
"""

from collections.abc import Callable
from typing import NoReturn

from gateway.core.keys import Key
from gateway.core.summary import Window
from gateway.core.types import Role
from lifecycle.adapters.sql.store import SqlStore
from lifecycle.commands.lookup import active_rollout, find_model
from lifecycle.commands.publish import Publisher
from lifecycle.commands.rollouts import Rollouts
from lifecycle.commands.traffic import Traffic
from lifecycle.controller import Controller
from lifecycle.core.analysis.guards import Guards
from lifecycle.core.governance.ledger import Record
from lifecycle.core.rollouts.plan import Plan, Step
from lifecycle.core.rollouts.rollout import Rollout
from lifecycle.core.version import Model, Version
from lifecycle.ports import Entry
from tests.lifecycle.world import FakeFleet, version, window

MODEL = "m"
RATE = 4000
LONGEST_S = 60
SWIFT = Plan(
    "swift",
    (Step(shadow=True, min_seconds=1, min_requests=1), Step(50, min_seconds=1, min_requests=1)),
    Guards(error_slo=0.3, error_margin=0.3, invalid_slo=0.3, invalid_margin=0.3),
    bake_seconds=1,
)


class ToldStore(SqlStore):
    """Says each ledger record after its commit."""

    def __init__(self, url: str, clock: Callable[[], float], say: Callable[[str], object]) -> None:
        super().__init__(url, clock)
        self._say = say

    def commit(self, entry: Entry, *values: Model | Version | Rollout | Key) -> Record:
        record = super().commit(entry, *values)
        self._say(record.hash)
        return record


class ControlPlane:
    """One process's worth of it, with a clock of its own that goes on where the ledger ended."""

    def __init__(self, url: str, say: Callable[[str], object] = lambda _: None) -> None:
        self.now = 0.0
        self.store = ToldStore(url, lambda: self.now, say)
        # From here on nothing of a process that was killed can still be under way.
        self.store.take(self.store.lease(), "controller")
        last = self.store.records(after=self.store.head().seq - 1)
        self.now = last[-1].at if last else 0.0
        self._fleet = FakeFleet()
        self._publisher = Publisher(self.store, self._fleet)
        self._controller = Controller(self.store, self._fleet, self._publisher)
        self._rollouts = Rollouts(self.store, self._publisher, lambda: self.now)
        self._traffic = Traffic(self.store, self._fleet, self._publisher, lambda: self.now)
        self._publisher.publish()

    async def resume(self) -> None:
        """See the active rollout through."""
        deadline = self.now + LONGEST_S
        while rollout := active_rollout(self.store, MODEL):
            if self.now > deadline:
                raise RuntimeError(f"rollout {rollout.id} does not end")
            self.now += 1
            self._controller.tick(self.now, self._windows())

    async def work(self) -> NoReturn:
        """Until the process is killed: a new version, its rollout, and after a good one a split by hand."""
        if not self.store.models():
            self._publisher.commit(self._entry("register"), Model(MODEL, 1, 0.0), version(1))
            await self._traffic.set(MODEL, {1: 100}, actor="ann")
        elif not find_model(self.store, MODEL).champion:
            await self._traffic.set(MODEL, {1: 100}, actor="ann")
        while True:
            await self.resume()
            champion = find_model(self.store, MODEL).champion
            await self._traffic.set(MODEL, {champion: 100}, actor="ann")
            number = len(self.store.versions(MODEL)) + 1
            self.store.commit(self._entry("register", version=number), version(number))
            self._rollouts.start(MODEL, number, SWIFT, "ann")
            await self.resume()
            after = find_model(self.store, MODEL)
            if after.champion == number:
                await self._traffic.set(MODEL, {champion: 50, number: 50}, actor="ann")

    def close(self) -> None:
        self.store.close()

    def _entry(self, kind: str, **detail: object) -> Entry:
        return Entry("ann", kind, MODEL, detail)

    def _windows(self) -> list[Window]:
        """What workers saw in a second."""
        table = self._fleet.table
        route = table.models[MODEL]
        found = [(number, Role.SHADOW, RATE, 0) for number in route.shadows]
        for number, weight in route.weights:
            role = Role.CHAMPION if number == route.champion else Role.CANARY
            requests = round(weight * RATE / 100)
            bad = number % 2 == 0 and role is Role.CANARY
            found.append((number, role, requests, requests // 2 if bad else 0))
        return [
            window(number, role, table.generation, requests=requests, errors=errors, end=self.now)
            for number, role, requests, errors in found
        ]
