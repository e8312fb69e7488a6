"""A trail of any length is read to its end."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from lifecycle.adapters.sql.store import SqlStore
from lifecycle.commands import trail as module
from lifecycle.commands.trail import trail
from lifecycle.ports import Entry


@pytest.fixture
def store(tmp_path: Path) -> Iterator[SqlStore]:
    store = SqlStore(f"sqlite:///{tmp_path / 'registry.db'}")
    yield store
    store.close()


def test_pages_follow_each_other(store: SqlStore, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "PAGE", 2)
    for i in range(5):
        store.commit(Entry("ann", f"k{i}", "m"))
        store.commit(Entry("ann", "other", "n"))
    assert [record.kind for record in trail(store, "m")] == ["k0", "k1", "k2", "k3", "k4"]
    assert list(trail(store, "nobody")) == []
