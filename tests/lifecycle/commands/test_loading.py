"""What is loaded for a change of traffic stays in memory only for it."""

import pytest

from lifecycle.commands.loading import Loading
from lifecycle.commands.rollouts import Rollouts
from lifecycle.controller import Controller
from lifecycle.core.rollouts.plan import preset
from lifecycle.core.traffic import holding
from lifecycle.core.version import Model
from lifecycle.errors import LifecycleCode, LifecycleError
from lifecycle.ports import Entry
from tests.lifecycle.one_model import Registry
from tests.lifecycle.world import kinds


async def test_of_changes_at_the_same_time_the_last_one_lets_go(registry: Registry) -> None:
    loading = Loading(registry.store, registry.fleet, registry.publisher)

    def model() -> Model:
        return registry.store.models("m")[0]

    async with loading.loaded(model(), frozenset({2}), "one", "ann"):
        with pytest.raises(LifecycleError, match="overtaken"):
            async with loading.loaded(model(), frozenset({3}), "other", "bob"):
                raise LifecycleError(LifecycleCode.STALE, "overtaken")
        assert model().held == (2, 3), "the other is still at it"
    with pytest.raises(LifecycleError, match="no use"):
        async with loading.loaded(model(), frozenset({3}), "third", "bob"):
            raise LifecycleError(LifecycleCode.STALE, "no use")
    assert model().held == ()


async def test_what_a_crash_left_loaded_is_let_go_of_and_a_rollout_is_left_alone(
    registry: Registry,
) -> None:
    (model,) = registry.store.models("m")
    registry.publisher.commit(Entry("ann", "traffic.set.load", "m"), holding(model, {3}))
    for _ in range(2):
        Loading(registry.store, registry.fleet, registry.publisher).resume()
        assert registry.store.models("m")[0].held == ()
    assert kinds(registry.store.records("m")).count("traffic.undo") == 1
    Rollouts(registry.store, registry.publisher, registry.clock).start("m", 2, preset("quick"), "ann")
    Controller(registry.store, registry.fleet, registry.publisher).tick(registry.now, [])
    Loading(registry.store, registry.fleet, registry.publisher).resume()
    assert registry.store.models("m")[0].held == (1, 2)
