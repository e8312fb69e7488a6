import pytest

from gateway.errors import ErrorCode
from lifecycle.commands.repository import Repository
from lifecycle.commands.rollouts import Rollouts
from lifecycle.commands.traffic import Traffic
from lifecycle.core.rollouts.plan import preset
from lifecycle.core.stages import Stage
from lifecycle.core.version import Model
from lifecycle.ports import Entry
from tests.lifecycle.one_model import Registry
from tests.lifecycle.world import kinds, version, weights


@pytest.fixture
def repository(registry: Registry) -> Repository:
    traffic = Traffic(registry.store, registry.fleet, registry.publisher, registry.clock)
    return Repository(registry.store, traffic)


async def test_unloading_takes_all_traffic_and_lets_go(registry: Registry, repository: Repository) -> None:
    assert await repository.change("unload", "m", "ann") is None
    route = registry.fleet.table.models["m"]
    assert (route.champion, route.weights, route.versions) == (0, (), ())
    assert registry.stages()[1] is Stage.APPROVED
    assert kinds(registry.store.records("m"))[-1] == "traffic.stop"


async def test_loading_brings_back_what_was_unloaded(registry: Registry, repository: Repository) -> None:
    await repository.change("unload", "m", "ann")
    assert await repository.change("load", "m", "ann") is None
    assert weights(registry.fleet.table) == {1: 100}
    assert registry.stages()[1] is Stage.SERVING


async def test_loading_for_the_first_time_takes_the_newest_that_may_serve(
    registry: Registry, repository: Repository
) -> None:
    fresh = Model("fresh", 1, 0.0)
    stages = (Stage.APPROVED, Stage.APPROVED, Stage.REGISTERED)
    versions = [version(number, stage, "fresh") for number, stage in enumerate(stages, 1)]
    registry.publisher.commit(Entry("ann", "version.registered", "fresh"), fresh, *versions)
    assert await repository.change("load", "fresh", "ann") is None
    assert registry.fleet.table.models["fresh"].champion == 2


async def test_what_is_so_already_stays(registry: Registry, repository: Repository) -> None:
    before = len(registry.fleet.published)
    assert await repository.change("load", "m", "ann") is None
    assert await repository.change("unload", "none", "ann") is None
    await repository.change("unload", "m", "ann")
    assert await repository.change("unload", "m", "ann") is None
    assert len(registry.fleet.published) == before + 1


async def test_refusals_are_in_the_gateways_words(registry: Registry, repository: Repository) -> None:
    unknown = await repository.change("load", "none", "ann")
    assert unknown is not None
    assert (unknown.code, unknown.message) == (ErrorCode.NOT_FOUND, "there is no model 'none'")
    Rollouts(registry.store, registry.publisher, registry.clock).start("m", 2, preset("quick"), "ann")
    busy = await repository.change("unload", "m", "ann")
    assert busy is not None
    assert busy.code is ErrorCode.INVALID
    assert "is in a rollout" in busy.message


async def test_a_model_whose_versions_nobody_approved(registry: Registry, repository: Repository) -> None:
    registry.publisher.commit(
        Entry("ann", "version.registered", "raw"), Model("raw", 1, 0.0), version(1, Stage.REGISTERED, "raw")
    )
    refused = await repository.change("load", "raw", "ann")
    assert refused is not None
    assert refused.code is ErrorCode.INVALID
    assert "no version of model 'raw' is approved" in refused.message
