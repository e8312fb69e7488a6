"""A wall clock that jumps neither hurries nor holds what the controller waits for."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from lifecycle.adapters.clock import Clock
from lifecycle.adapters.sql.store import SqlStore
from lifecycle.commands.publish import Publisher
from lifecycle.commands.rollouts import Rollouts
from lifecycle.controller import Controller
from lifecycle.core.rollouts.plan import Plan, Step
from lifecycle.core.rollouts.rollout import Phase
from lifecycle.core.stages import Stage
from lifecycle.core.version import Model
from lifecycle.ports import Entry
from tests.lifecycle.world import FakeFleet, version

HOUR_S = 3_600.0


class Times:
    """A wall clock and a monotonic one, moved by hand."""

    def __init__(self) -> None:
        self.wall, self.elapsed = 1_000_000.0, 50.0

    def clock(self) -> Clock:
        return Clock(lambda: self.wall, lambda: self.elapsed)

    def pass_by(self, seconds: float) -> None:
        self.wall += seconds
        self.elapsed += seconds


@pytest.fixture
def times() -> Times:
    return Times()


@pytest.fixture
def store(tmp_path: Path) -> Iterator[SqlStore]:
    store = SqlStore(f"sqlite:///{tmp_path / 'registry.db'}")
    model = Model("m", 1, 0.0, champion=1, weights=((1, 100.0),))
    store.commit(Entry("ann", "model.created", "m"), model, version(1, Stage.SERVING), version(2))
    yield store
    store.close()


@pytest.mark.parametrize("jump", [HOUR_S, -HOUR_S])
def test_a_jump_of_the_wall_is_not_seen_before_a_restart(times: Times, jump: float) -> None:
    clock = times.clock()
    assert clock() == 1_000_000.0
    times.pass_by(5)
    times.wall += jump
    assert clock() == 1_000_005.0
    assert times.clock()() == 1_000_005.0 + jump


@pytest.mark.parametrize("jump", [HOUR_S, -HOUR_S])
async def test_a_jump_fires_no_deadline_and_delays_none(times: Times, store: SqlStore, jump: float) -> None:
    clock, fleet = times.clock(), FakeFleet()
    publisher = Publisher(store, fleet)
    controller = Controller(store, fleet, publisher)
    plan = Plan("slow", (Step(10, min_seconds=300),), deadline_seconds=600)
    Rollouts(store, publisher, clock).start("m", 2, plan, "ann")
    times.wall += jump
    for _ in range(5):
        times.pass_by(100)
        controller.tick(clock(), [])
        assert store.rollouts("m")[0].phase is Phase.STEP or times.elapsed == 150
    times.pass_by(101)
    controller.tick(clock(), [])
    assert store.rollouts("m")[0].phase is Phase.ROLLED_BACK
    assert "deadline" in store.rollouts("m")[0].reason


def test_by_default_it_tells_the_time() -> None:
    clock = Clock()
    before, after = clock(), clock()
    assert 1_700_000_000 < before <= after
