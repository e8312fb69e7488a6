"""A control plane that may die at any write, on a real store, with workers that outlive it."""

from collections.abc import Iterator
from pathlib import Path

from gateway.core.keys import Key
from gateway.core.routing import RouteTable
from gateway.core.summary import Window
from gateway.core.types import Role
from lifecycle.adapters.sql.store import SqlStore
from lifecycle.commands.publish import Publisher
from lifecycle.commands.rollouts import Rollouts
from lifecycle.controller import Controller
from lifecycle.core.governance.ledger import Record
from lifecycle.core.rollouts.rollout import Phase, Rollout
from lifecycle.core.stages import Stage
from lifecycle.core.version import Model, Version
from lifecycle.ports import Entry
from tests.lifecycle.world import FakeFleet, kinds, version, window


class Crash(BaseException):
    """The process is gone: nothing may catch it."""


class MortalStore(SqlStore):
    """Dies before or after a durable write, once, at the n-th chance."""

    def __init__(self, url: str, life: Iterator[bool]) -> None:
        self.life = life
        super().__init__(url)
        connection = self._engine.raw_connection()
        connection.cursor().execute("PRAGMA synchronous=OFF")  # a process dies here, never the machine
        connection.close()

    def live(self) -> None:
        if next(self.life, False):
            raise Crash

    def commit(self, entry: Entry, *values: Model | Version | Rollout | Key) -> Record:
        self.live()
        record = super().commit(entry, *values)
        self.live()
        return record

    def save(self, rollout: Rollout) -> None:
        self.live()
        super().save(rollout)
        self.live()

    def next_generation(self) -> int:
        generation = super().next_generation()
        self.live()
        return generation


class MortalFleet(FakeFleet):
    life: Iterator[bool] = iter(())

    def publish(self, table: RouteTable) -> None:
        super().publish(table)
        if next(self.life, False):
            raise Crash


class World:
    """A store on disk, workers that outlive the controller, and a controller that can be replaced."""

    def __init__(self, path: Path, life: Iterator[bool], rate: int = 300) -> None:
        path.mkdir(exist_ok=True)
        self.url = f"sqlite:///{path}/registry.db"
        self.fleet = MortalFleet()
        self.now = 1000.0
        self.rate = rate
        self.open(iter(()))
        model = Model("m", 1, 0.0, champion=1, weights=((1, 100.0),))
        versions = version(1, Stage.SERVING), version(2), version(3)
        self.publisher.commit(Entry("ann", "set up", "m"), model, *versions)
        self.store.life = self.fleet.life = life

    def start(self) -> None:
        """A new controller process on the same store."""
        self.store.close()
        self.open(self.store.life)

    def open(self, life: Iterator[bool]) -> None:
        self.store = MortalStore(self.url, life)
        self.publisher = Publisher(self.store, self.fleet)
        self.controller = Controller(self.store, self.fleet, self.publisher)
        self.rollouts = Rollouts(self.store, self.publisher, lambda: self.now, call=self.controller.call)

    async def run(self, seconds: int, *, errors: int = 0, invalid: int = 0) -> None:
        for _ in range(seconds):
            self.now += 1
            self.controller.tick(self.now, self.traffic(errors, invalid))

    async def until(self, phase: Phase) -> None:
        for _ in range(60):
            if self.phase() is phase:
                return
            await self.run(1)
        raise AssertionError(f"{phase} was not reached")

    def traffic(self, errors: int, invalid: int) -> list[Window]:
        """What workers saw in a second under the table they have."""
        generation = self.fleet.workers()[0].generation
        table = next((t for t in self.fleet.published if t.generation == generation), self.fleet.table)
        route = table.models["m"]
        seen = [(number, Role.SHADOW, self.rate) for number in route.shadows]
        for number, weight in route.weights:
            role = Role.CHAMPION if number == route.champion else Role.CANARY
            seen.append((number, role, round(weight * self.rate / 100)))
        healthy = [
            window(number, role, generation, requests=n, end=self.now)
            for number, role, n in seen
            if number != 2
        ]
        return healthy + [
            window(number, role, generation, requests=n, errors=errors, invalid=invalid, end=self.now)
            for number, role, n in seen
            if number == 2
        ]

    def phase(self) -> Phase:
        return self.rollout.phase

    @property
    def rollout(self) -> Rollout:
        return self.rollouts.show("m")

    def stages(self) -> dict[int, Stage]:
        return {found.number: found.stage for found in self.store.versions("m")}

    def actions(self) -> list[str]:
        found = [kind.removeprefix("rollout.") for kind in kinds(self.store.records())]
        return [kind for kind in found if kind not in ("set up", "start")]
