"""The number of the database's schema, and the steps that lead from each to the next.

A step is plain SQL that SQLite and Postgres both know, or a function where JSON in a body has to change. It
is never edited once it was released. One is due as well when values get fields that an older Headrace cannot
read.
"""

from collections.abc import Callable, Sequence

import orjson
from sqlalchemy import Connection, Inspector, insert, inspect, select, text, update

from lifecycle.adapters.sql import tables
from lifecycle.core.governance.ledger import Head
from lifecycle.errors import LifecycleCode, LifecycleError


def _approvals_with_evidence(connection: Connection) -> None:
    for row in connection.execute(text("SELECT model, number, body FROM versions")).all():
        body = orjson.loads(row.body)
        body["approvals"] = [{"by": name, "at": 0.0} for name in body.pop("approvers")]
        connection.execute(
            text("UPDATE versions SET body = :body WHERE model = :model AND number = :number"),
            {"body": orjson.dumps(body).decode(), "model": row.model, "number": row.number},
        )


STEPS: Sequence[Sequence[str | Callable[[Connection], None]]] = (
    # 1 to 2: one controller acts at a time.
    (
        "CREATE TABLE leases (name VARCHAR NOT NULL PRIMARY KEY, holder VARCHAR NOT NULL, "
        "token BIGINT NOT NULL, beat BIGINT NOT NULL)",
        "INSERT INTO leases (name, holder, token, beat) VALUES ('controller', '', 0, 0)",
    ),
    # 2 to 3: people and programs have keys.
    ("CREATE TABLE keys (name VARCHAR NOT NULL PRIMARY KEY, body TEXT NOT NULL)",),
    # 3 to 4: an approval says when, in which role and why; versions are described, models have aliases.
    (_approvals_with_evidence,),
    # 4 to 5: changes may be asked for again, and webhooks know what they have delivered.
    (
        "CREATE TABLE requests (caller VARCHAR NOT NULL, key VARCHAR NOT NULL, fingerprint VARCHAR NOT NULL, "
        "at BIGINT NOT NULL, status INTEGER, etag VARCHAR, body TEXT, PRIMARY KEY (caller, key))",
        "CREATE TABLE deliveries (hook VARCHAR NOT NULL PRIMARY KEY, seq INTEGER NOT NULL)",
    ),
)
"""`STEPS[n - 1]` leads from schema n to n + 1. Schema 1 had no number."""

CURRENT = 1 + len(STEPS)

_LOCK = 0x6865_6164
"""Postgres' advisory lock that makes two processes take turns here; any number would do."""


def prepare(connection: Connection) -> None:
    """Make the tables, or bring older ones up to date, all in the given transaction.

    Raises:
        LifecycleError: UNAVAILABLE if a newer Headrace made them.
    """
    if connection.dialect.name == "postgresql":
        connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": _LOCK})
    found = _number(connection, inspect(connection))
    if found > CURRENT:
        raise LifecycleError(
            LifecycleCode.UNAVAILABLE,
            f"the registry's database has schema {found}, made by a newer Headrace; this one knows "
            f"schema {CURRENT}: upgrade it",
        )
    if found == CURRENT:
        return
    if found == 0:
        _create(connection)
    else:
        for change in (change for step in STEPS[found - 1 :] for change in step):
            if isinstance(change, str):
                connection.execute(text(change))
            else:
                change(connection)
        tables.schema.create(connection, checkfirst=True)
    if not connection.execute(update(tables.schema).values(number=CURRENT)).rowcount:
        connection.execute(insert(tables.schema).values(number=CURRENT))


def _number(connection: Connection, inspector: Inspector) -> int:
    if inspector.has_table(tables.schema.name):
        return int(connection.execute(select(tables.schema.c.number)).scalar_one())
    return 1 if inspector.has_table(tables.records.name) else 0


def _create(connection: Connection) -> None:
    tables.metadata.create_all(connection)
    connection.execute(insert(tables.heads).values(name="ledger", seq=0, hash=Head().hash))
    connection.execute(insert(tables.generations).values(name="routes", last=0))
    connection.execute(insert(tables.leases).values(name="controller", holder="", token=0, beat=0))
