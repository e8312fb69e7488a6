"""The SQL store when things go wrong, and when there is a lot."""

import sqlite3
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from subprocess import PIPE, Popen
from threading import Thread

import pytest

from lifecycle.adapters.store import SqlStore
from lifecycle.core.ledger import verify
from lifecycle.core.version import Model
from lifecycle.errors import LifecycleCode, LifecycleError
from lifecycle.ports import Entry
from tests.lifecycle.world import version

ENTRY = Entry("ann", "test", "m")
ROOT = Path(__file__).parents[3]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "registry.db"


@pytest.fixture
def store(path: Path) -> Iterator[SqlStore]:
    opened = SqlStore(f"sqlite:///{path}")
    yield opened
    opened.close()


def test_commits_are_synced_to_disk(store: SqlStore) -> None:
    with store._engine.connect() as connection:
        assert connection.exec_driver_sql("PRAGMA journal_mode").scalar() == "wal"
        assert connection.exec_driver_sql("PRAGMA synchronous").scalar() == 2


def test_threads_write_one_chain(store: SqlStore) -> None:
    def write(name: str) -> None:
        for revision in range(1, 11):
            store.commit(ENTRY, Model(name, revision, 0.0))

    threads = [Thread(target=write, args=(f"m{i}",)) for i in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert {model.revision for model in store.models()} == {10}
    records = store.records()
    assert len(records) == 40
    assert verify(records, store.head()) is None


def test_of_two_changes_of_one_revision_one_wins(store: SqlStore) -> None:
    store.commit(ENTRY, Model("m", 1, 0.0))
    refused: list[LifecycleCode] = []

    def write() -> None:
        try:
            store.commit(ENTRY, Model("m", 2, 0.0))
        except LifecycleError as error:
            refused.append(error.code)

    threads = [Thread(target=write) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert refused == [LifecycleCode.STALE] * 3


@pytest.mark.parametrize("write", ["INSERT ON models", "INSERT ON records", "UPDATE ON heads"])
def test_a_write_that_fails_half_way_leaves_nothing(store: SqlStore, path: Path, write: str) -> None:
    with sqlite3.connect(path) as other:
        other.execute(f"CREATE TRIGGER broken BEFORE {write} BEGIN SELECT RAISE(ABORT, 'disk full'); END")
    other.close()
    with pytest.raises(LifecycleError):
        store.commit(ENTRY, Model("m", 1, 0.0), version(1))
    assert (store.models(), store.versions("m"), store.records()) == ([], [], [])


def test_a_file_that_is_no_database_is_refused_with_the_reason(path: Path) -> None:
    path.write_bytes(b"not a database" * 1000)
    with pytest.raises(LifecycleError, match="damaged: file is not a database") as refused:
        SqlStore(f"sqlite:///{path}")
    assert refused.value.code is LifecycleCode.UNAVAILABLE


def test_a_damaged_page_is_noticed_at_the_start(store: SqlStore, path: Path) -> None:
    for number in range(200):
        store.commit(ENTRY, version(number))
    store.close()
    data = bytearray(path.read_bytes())
    for page in range(4096 * 10, len(data) - 4096, 4096):
        data[page : page + 64] = bytes(64)
    path.write_bytes(data)
    with pytest.raises(LifecycleError, match="damaged") as refused:
        SqlStore(f"sqlite:///{path}")
    assert refused.value.code is LifecycleCode.UNAVAILABLE


def test_a_database_that_cannot_be_reached_says_so(tmp_path: Path) -> None:
    with pytest.raises(LifecycleError, match="cannot be used now") as refused:
        SqlStore(f"sqlite:///{tmp_path}/missing/registry.db")
    assert refused.value.code is LifecycleCode.UNAVAILABLE


WRITER = """
import sys
from lifecycle.adapters.store import SqlStore
from lifecycle.core.version import Model
from lifecycle.ports import Entry
store = SqlStore(sys.argv[1])
revision = max((model.revision for model in store.models()), default=0)
while True:
    revision += 1
    store.commit(Entry("ann", "test", "m", {"revision": revision}), Model("m", revision, 0.0))
    print(revision, flush=True)
"""


@pytest.mark.parametrize("acknowledged", [1, 7, 40])
def test_a_killed_process_loses_nothing_it_acknowledged(path: Path, acknowledged: int) -> None:
    command = [sys.executable, "-c", WRITER, f"sqlite:///{path}"]
    with Popen(command, stdout=PIPE, text=True, cwd=ROOT) as writer:
        assert writer.stdout is not None
        for _ in range(acknowledged):
            writer.stdout.readline()
        writer.kill()
        said = acknowledged + len(writer.stdout.read().split("\n")[:-1])
    store = SqlStore(f"sqlite:///{path}")
    records = store.records()
    assert store.models()[0].revision == len(records) >= said
    assert verify(records, store.head()) is None
    store.close()


def test_an_edit_of_the_file_shows_in_the_chain(store: SqlStore, path: Path) -> None:
    for revision in range(1, 6):
        store.commit(replace(ENTRY, detail={"revision": revision}), Model("m", revision, 0.0))
    with sqlite3.connect(path) as other:
        other.execute("UPDATE records SET detail = '{\"revision\":9}' WHERE seq = 3")
        other.commit()
        other.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    other.close()
    problem = verify(store.records(), store.head())
    assert problem is not None
    assert problem.seq == 3
