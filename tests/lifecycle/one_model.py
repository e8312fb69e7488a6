"""A registry on disk with one model, for tests of commands."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from lifecycle.adapters.sql.store import SqlStore
from lifecycle.commands.publish import Publisher
from lifecycle.core.stages import Stage
from lifecycle.core.version import Model
from lifecycle.ports import Entry
from tests.lifecycle.world import FakeFleet, version


@dataclass
class Registry:
    """Model `m`: version 1 is the champion, 2 and 3 are approved, 4 is only registered. Time is `now`."""

    store: SqlStore
    fleet: FakeFleet
    publisher: Publisher
    now: float = 100.0

    def clock(self) -> float:
        return self.now

    def stages(self) -> dict[int, Stage]:
        return {found.number: found.stage for found in self.store.versions("m")}


@contextmanager
def opened(path: Path) -> Iterator[Registry]:
    fleet = FakeFleet()
    store = SqlStore(f"sqlite:///{path}/registry.db", lambda: made.now)
    made = Registry(store, fleet, Publisher(store, fleet))
    model = Model("m", 1, 0.0, champion=1, weights=((1, 100.0),))
    versions = version(1, Stage.SERVING), version(2), version(3), version(4, Stage.REGISTERED)
    detail = {"champion": 1, "weights": {"1": 100.0}, "shadows": []}
    made.publisher.commit(Entry("ann", "traffic.set", "m", detail), model, *versions)
    try:
        yield made
    finally:
        store.close()
