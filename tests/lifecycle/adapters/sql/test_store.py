"""The SQL store when things go wrong, and when there is a lot."""

import sqlite3
import sys
from dataclasses import replace
from pathlib import Path
from subprocess import PIPE, Popen
from threading import Thread

import pytest

from lifecycle.adapters.sql.store import SqlStore
from lifecycle.core.governance.ledger import verify
from lifecycle.core.version import Model
from lifecycle.errors import LifecycleCode, LifecycleError
from lifecycle.ports import Entry
from tests.lifecycle.world import version

ENTRY = Entry("ann", "test", "m")
ROOT = Path(__file__).parents[4]


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


WRITER = """
import sys
from lifecycle.adapters.sql.store import SqlStore
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
