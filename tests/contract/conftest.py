"""A registry to hold to its promises, on SQLite and on a real PostgreSQL server."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from lifecycle.adapters.sql.store import SqlStore
from tests.contract.stored import Open
from tests.postgres import Postgres


@pytest.fixture(params=["sqlite", "postgres"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path}/registry.db"
    server: Postgres = request.getfixturevalue("postgres")
    return server.database()


@pytest.fixture
def opened(url: str) -> Iterator[Open]:
    """Opens the same stored state again and again, as restarts do."""
    stores: list[SqlStore] = []

    def open_it() -> SqlStore:
        stores.append(SqlStore(url, lambda: 100.0 + len(stores)))
        return stores[-1]

    yield open_it
    for store in stores:
        store.close()


@pytest.fixture
def store(opened: Open) -> SqlStore:
    return opened()
