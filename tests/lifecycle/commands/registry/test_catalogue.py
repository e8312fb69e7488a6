"""Descriptions, model cards and aliases: what is said is kept, and who said it."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from lifecycle.commands.registry.catalogue import MOST_TAGS, Catalogue, Words
from lifecycle.core.version import Description
from lifecycle.errors import LifecycleCode, LifecycleError
from tests.lifecycle.one_model import Registry, opened


@pytest.fixture
def registry(tmp_path: Path) -> Iterator[Registry]:
    with opened(tmp_path) as found:
        yield found


@pytest.fixture
def catalogue(registry: Registry) -> Catalogue:
    return Catalogue(registry.store, registry.publisher)


def test_a_description_grows_and_shrinks(catalogue: Catalogue, registry: Registry) -> None:
    catalogue.describe("m", 2, Words(owner=" risk ", tags={"eu": "", "tier": "1"}), "ann")
    found = catalogue.describe(
        "m", 2, Words(limitations="new", tags={"eu": None}, metrics={"auc": 0.9}), "bob"
    )
    assert found.description == Description("risk", "", "new", {"tier": "1"}, {"auc": 0.9})
    record = registry.store.records("m")[-1]
    assert (record.actor, record.kind) == ("bob", "version.described")
    assert record.detail == {
        "version": 2,
        "limitations": "new",
        "tags": {"tier": "1"},
        "metrics": {"auc": 0.9},
    }


def test_saying_it_again_is_no_record(catalogue: Catalogue, registry: Registry) -> None:
    catalogue.describe("m", 2, Words(owner="risk"), "ann")
    before = len(registry.store.records())
    catalogue.describe("m", 2, Words(owner="risk"), "bob")
    assert len(registry.store.records()) == before


def test_a_description_has_an_end(catalogue: Catalogue) -> None:
    with pytest.raises(LifecycleError) as refused:
        catalogue.describe("m", 2, Words(tags={f"t{i}": "" for i in range(MOST_TAGS + 1)}), "ann")
    assert refused.value.code is LifecycleCode.INVALID


def test_an_alias_moves_and_goes(catalogue: Catalogue, registry: Registry) -> None:
    before = registry.fleet.table.generation
    assert catalogue.alias("m", "audited", 2, "ann").aliases == {"audited": 2}
    assert catalogue.alias("m", "audited", 3, "bob").aliases == {"audited": 3}
    assert registry.fleet.table.generation > before
    assert registry.fleet.table.models["m"].aliases == (("audited", 3),)
    assert registry.store.records("m")[-1].detail == {"alias": "audited", "version": 3, "before": 2}
    assert catalogue.unalias("m", "audited", "ann").aliases == {}
    with pytest.raises(LifecycleError) as refused:
        catalogue.unalias("m", "audited", "ann")
    assert refused.value.code is LifecycleCode.NOT_FOUND


@pytest.mark.parametrize(("alias", "number"), [("champion", 2), ("audited", 9)])
def test_an_alias_that_cannot_be(catalogue: Catalogue, registry: Registry, alias: str, number: int) -> None:
    with pytest.raises(LifecycleError):
        catalogue.alias("m", alias, number, "ann")
    assert registry.store.models("m")[0].aliases == {}


def test_a_card_is_of_what_is_stored(catalogue: Catalogue) -> None:
    catalogue.describe("m", 1, Words(owner="risk"), "ann")
    found = catalogue.card("m", 1)
    assert found.title == "m version 1"
    assert [one.text for one in found.sections if one.title == "Owner"] == ["risk"]
