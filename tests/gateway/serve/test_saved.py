"""The copy on disk is what the last update led to, whoever of the node's workers wrote it."""

from pathlib import Path

import pytest

from gateway.core.delta import difference
from gateway.core.keys import Key, Keyring, KeyRole
from gateway.core.routing import ModelRoute, RouteTable, VersionEntry
from gateway.core.signature import Signature
from gateway.serve.saved import SavedRoutes


def table(generation: int, models: str, version: int = 1) -> RouteTable:
    entry = VersionEntry(version, "", "", Signature((), ()))
    routes = {name: ModelRoute(name, (entry,), version, ((version, 100.0),)) for name in models}
    return RouteTable(generation, routes, Keyring((Key("ann", "d", KeyRole.VIEWER, ("m*",)),)))


FIRST, SECOND, THIRD = table(1, "ab"), table(2, "bc", 2), table(4, "c", 3)


@pytest.fixture
def saved(tmp_path: Path) -> SavedRoutes:
    return SavedRoutes(tmp_path / "routes.db")


def test_what_is_kept_is_loaded(saved: SavedRoutes) -> None:
    assert saved.load() is None
    saved.keep(FIRST, FIRST)
    assert saved.load() == FIRST
    saved.keep(difference(FIRST, SECOND), SECOND)
    assert saved.load() == SECOND


def test_a_worker_that_lags_behind_changes_nothing(saved: SavedRoutes) -> None:
    saved.keep(FIRST, FIRST)
    saved.keep(difference(FIRST, THIRD), THIRD)
    saved.keep(difference(FIRST, SECOND), SECOND)
    assert saved.load() == THIRD


def test_a_longer_step_from_an_older_table_fits_too(saved: SavedRoutes) -> None:
    saved.keep(FIRST, FIRST)
    saved.keep(difference(FIRST, SECOND), SECOND)
    saved.keep(difference(FIRST, THIRD), THIRD)
    assert saved.load() == THIRD


def test_a_step_whose_start_is_not_there_is_made_up_for(saved: SavedRoutes) -> None:
    saved.keep(difference(SECOND, THIRD), THIRD)
    assert saved.load() == THIRD


def test_a_whole_table_replaces_a_newer_one_of_another_registry(saved: SavedRoutes) -> None:
    saved.keep(THIRD, THIRD)
    saved.keep(FIRST, FIRST)
    assert saved.load() == FIRST


def test_a_damaged_copy_is_written_anew(saved: SavedRoutes, tmp_path: Path) -> None:
    (tmp_path / "routes.db").write_bytes(b"no database at all" * 100)
    assert saved.load() is None
    saved.keep(difference(FIRST, SECOND), SECOND)
    assert saved.load() == SECOND


def test_a_disk_that_takes_nothing_stops_nobody(tmp_path: Path) -> None:
    nowhere = SavedRoutes(tmp_path / "gone" / "routes.db")
    nowhere.keep(FIRST, FIRST)
    assert nowhere.load() is None
