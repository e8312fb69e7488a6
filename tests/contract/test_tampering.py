"""Every record of a stored ledger, changed in every way: each is found, and the first bad record is named.

On SQLite and on a real PostgreSQL server, with the database's own means, as somebody would who can write it.
"""

import sqlite3
from collections.abc import Iterator
from itertools import count
from typing import Any

import pytest
from sqlalchemy import delete, event, insert, select, update
from sqlalchemy.engine.interfaces import DBAPIConnection

from lifecycle.adapters.sql import tables
from lifecycle.adapters.sql.engine import open_engine
from lifecycle.adapters.sql.store import SqlStore
from lifecycle.commands.governance.audit import NONE, verify
from lifecycle.core.governance.checkpoint import Checkpoint, Kept, Statement
from lifecycle.core.governance.ledger import GENESIS, Head, canonical, seal
from lifecycle.ports import Entry
from tests.postgres import Postgres

RECORDS = 120
RECORD, HEAD = tables.records, tables.heads

Row = dict[str, Any]


class Ledger:
    """A stored ledger and a way around the store that wrote it."""

    def __init__(self, url: str) -> None:
        self.store = SqlStore(url, count(100.5).__next__)
        for i in range(RECORDS):
            detail = {"weights": {"1": 90.5, "2": 9.5}, "champion": 1, "why": f"step {i}"}
            self.store.commit(Entry("ann", "traffic.set", f"m{i % 3}", detail))
        self.engine = open_engine(url)
        event.listen(self.engine, "connect", _hurried)
        with self.engine.begin() as connection:
            self.rows: dict[int, Row] = {
                row.seq: dict(row._mapping) for row in connection.execute(select(RECORD))
            }
        self.end = self.store.head()
        self.kept = Kept((Checkpoint(Statement(self.end, 0.0), ""),))
        """A signed statement of the ledger's end, kept where the database's writer cannot reach it."""

    def named(self, put: dict[int, Row | None], kept: Kept = NONE, noted: Head | None = None) -> int:
        """What a verification names with these rows in their places, None for no row; 0 for nothing.

        Args:
            noted: what the store's own note of the ledger's end says.
        """
        self._put(put, noted or self.end)
        problem = verify(self.store, kept).problem
        self._put({seq: self.rows.get(seq) for seq in put}, self.end)
        return problem.seq if problem else 0

    def _put(self, rows: dict[int, Row | None], end: Head) -> None:
        with self.engine.begin() as connection:
            connection.execute(delete(RECORD).where(RECORD.c.seq.in_(list(rows))))
            if there := [row for row in rows.values() if row]:
                connection.execute(insert(RECORD), there)
            connection.execute(update(HEAD).values(seq=end.seq, hash=end.hash))

    def close(self) -> None:
        self.store.close()
        self.engine.dispose()


def _hurried(connection: DBAPIConnection, _record: object) -> None:
    # What is written here need not survive anything.
    sqlite = isinstance(connection, sqlite3.Connection)
    cursor = connection.cursor()
    cursor.execute("PRAGMA synchronous=OFF" if sqlite else "SET synchronous_commit = off")
    cursor.close()
    connection.commit()


@pytest.fixture(scope="module", params=["sqlite", "postgres"])
def ledger(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ledger]:
    if request.param == "sqlite":
        url = f"sqlite:///{tmp_path_factory.mktemp('ledger')}/registry.db"
    else:
        server: Postgres = request.getfixturevalue("postgres")
        url = server.database()
    made = Ledger(url)
    yield made
    made.close()


def test_the_ledger_as_it_was_written_is_whole(ledger: Ledger) -> None:
    assert ledger.named({}, ledger.kept) == 0


EDITS: dict[str, Any] = {
    "time": lambda row: {"at": row["at"] + 2**-20},
    "actor": lambda row: {"actor": "eve"},
    "kind": lambda row: {"kind": "traffic.rollback"},
    "model": lambda row: {"model": "m9"},
    "weight": lambda row: {"detail": row["detail"].replace("90.5", "90.25")},
    "blank in the detail": lambda row: {"detail": row["detail"] + " "},
    "key twice in the detail": lambda row: {"detail": row["detail"][:-1] + ',"why":"another"}'},
    "detail that is no JSON": lambda row: {"detail": "{"},
    "link": lambda row: {"prev_hash": "f" * 64},
    "hash": lambda row: {"hash": "f" * 64},
}


@pytest.mark.slow
@pytest.mark.parametrize("edit", EDITS)
def test_an_edit_of_any_record_is_found(ledger: Ledger, edit: str) -> None:
    named = {seq: ledger.named({seq: row | EDITS[edit](row)}) for seq, row in ledger.rows.items()}
    assert named == {seq: seq for seq in ledger.rows}


@pytest.mark.slow
def test_an_edit_that_is_sealed_anew_is_found(ledger: Ledger) -> None:
    """In the last record nothing follows: only a head that stands shows it, and not which one it was."""
    assert {seq: ledger.named({seq: _resealed(row)}) for seq, row in ledger.rows.items()} == {
        seq: seq if seq < RECORDS else 1 for seq in ledger.rows
    }


def _resealed(row: Row) -> Row:
    forged = seal(Head(row["seq"] - 1, row["prev_hash"]), row["at"], "eve", row["kind"], row["model"], {})
    return forged.as_json() | {"detail": canonical(forged.detail)}


@pytest.mark.slow
def test_a_deletion_of_any_record_is_found(ledger: Ledger) -> None:
    assert {seq: ledger.named({seq: None}) for seq in ledger.rows} == {seq: seq for seq in ledger.rows}


@pytest.mark.slow
def test_any_two_neighbours_that_change_places_are_found(ledger: Ledger) -> None:
    pairs = ((ledger.rows[seq], ledger.rows[seq + 1]) for seq in range(1, RECORDS))
    named = [
        ledger.named({a["seq"]: b | {"seq": a["seq"]}, b["seq"]: a | {"seq": b["seq"]}}) for a, b in pairs
    ]
    assert named == list(range(1, RECORDS))


@pytest.mark.slow
def test_any_record_that_is_put_at_the_end_is_found(ledger: Ledger) -> None:
    last = RECORDS + 1
    named = [ledger.named({seq: None, last: ledger.rows[seq] | {"seq": last}}) for seq in ledger.rows]
    assert named == list(ledger.rows)


@pytest.mark.slow
@pytest.mark.parametrize("hidden", [False, True], ids=["the note stands", "the note is changed too"])
def test_every_truncation_is_found(ledger: Ledger, hidden: bool) -> None:
    """Who also changes the store's note of the end is shown by a checkpoint."""
    for length in range(RECORDS):
        gone: dict[int, Row | None] = dict.fromkeys(range(length + 1, RECORDS + 1))
        noted = Head(length, ledger.rows[length]["hash"] if length else GENESIS) if hidden else None
        assert ledger.named(gone, ledger.kept if hidden else NONE, noted) == length + 1


def test_a_record_that_was_slipped_in_behind_the_end_is_found(ledger: Ledger) -> None:
    forged = seal(ledger.end, 9e9, "eve", "traffic.set", "m0", {})
    row = forged.as_json() | {"detail": canonical(forged.detail)}
    assert ledger.named({forged.seq: row}) == forged.seq
