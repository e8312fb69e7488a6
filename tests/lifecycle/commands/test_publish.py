"""The table in force is always what the store says."""

from dataclasses import replace

import pytest

from gateway.core.routing import RouteTable
from lifecycle.commands.publish import Publisher
from lifecycle.core.version import Model, Version
from lifecycle.ports import Entry
from tests.lifecycle.one_model import Registry
from tests.lifecycle.world import version, weights

ENTRY = Entry("ann", "test", "m")


def test_a_new_publisher_publishes_the_stored_state(registry: Registry) -> None:
    again = Publisher(registry.store, registry.fleet)
    assert again.stale
    table = again.publish()
    assert (weights(table), again.stale) == ({1: 100}, False)
    assert registry.fleet.table is table


def test_every_table_is_newer_than_the_last(registry: Registry) -> None:
    first = registry.publisher.publish().generation
    registry.store.next_generation()
    assert Publisher(registry.store, registry.fleet).publish().generation == first + 2


def test_a_commit_is_in_the_next_table(registry: Registry) -> None:
    model = registry.store.models("m")[0]
    changed = replace(model, revision=2, weights=((1, 90.0), (2, 10.0)))
    registry.publisher.commit(ENTRY, changed)
    assert weights(registry.fleet.table) == {1: 90, 2: 10}


def test_a_change_of_one_model_reads_no_other(registry: Registry, monkeypatch: pytest.MonkeyPatch) -> None:
    other = Model("other", 1, 0.0, champion=1, weights=((1, 100.0),))
    registry.store.commit(ENTRY, other, version(1, model="other"))
    before = registry.publisher.publish()
    read: list[str | None] = []
    models = registry.store.models

    def noted(name: str | None = None) -> list[Model]:
        read.append(name)
        return models(name)

    changed = replace(models("m")[0], revision=2, weights=((1, 90.0), (2, 10.0)))
    monkeypatch.setattr(registry.store, "models", noted)
    after = registry.publisher.commit(ENTRY, changed)
    assert read == ["m"]
    assert after.models["other"] is before.models["other"]
    assert registry.publisher.publish().models == after.models


def test_a_publication_that_failed_is_made_up_for(
    registry: Registry, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(_: RouteTable) -> None:
        raise OSError("gone")

    model = registry.store.models("m")[0]
    with monkeypatch.context() as broken:
        broken.setattr(registry.fleet, "publish", fails)
        with pytest.raises(OSError, match="gone"):
            registry.publisher.commit(ENTRY, replace(model, revision=2, weights=((1, 90.0), (2, 10.0))))
    assert registry.publisher.stale
    registry.publisher.publish()
    assert weights(registry.fleet.table) == {1: 90, 2: 10}


def test_only_changed_models_are_read_again(registry: Registry, monkeypatch: pytest.MonkeyPatch) -> None:
    models = [Model(f"m{i}", 1, 0.0, champion=1, weights=((1, 100.0),)) for i in range(50)]
    for model in models:
        registry.store.commit(ENTRY, model, version(1, model=model.name))
    registry.publisher.publish()
    read: list[str] = []
    versions = registry.store.versions

    def noted(name: str) -> list[Version]:
        read.append(name)
        return versions(name)

    monkeypatch.setattr(registry.store, "versions", noted)
    registry.publisher.commit(Entry("ann", "test", "m7"), replace(models[7], revision=2))
    assert read == ["m7"]
    assert len(registry.fleet.table.models) == 51
