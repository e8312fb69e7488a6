"""The system of record in a SQL database: values and their ledger record in one durable transaction.

SQLite by default (write-ahead log, every commit synced to disk); a Postgres URL works as well.
"""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import orjson
from sqlalchemy import Connection, Engine, Row, create_engine, event, insert, select, update
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.exc import DatabaseError, IntegrityError, OperationalError

from lifecycle.adapters import store_tables as tables
from lifecycle.core.ledger import Head, Record, canonical, seal
from lifecycle.core.rollout import Rollout
from lifecycle.core.version import Model, Version
from lifecycle.errors import LifecycleCode, LifecycleError
from lifecycle.ports import Entry

_LEDGER = "ledger"
_ROUTES = "routes"


class SqlStore:
    """Implements `ports.Store`. Safe to use from several threads.

    Args:
        url: as SQLAlchemy takes it, e.g. `sqlite:///registry.db`.
        clock: Unix time in seconds, for the ledger.

    Raises:
        LifecycleError: UNAVAILABLE if the database cannot be opened or is damaged.
    """

    def __init__(self, url: str, clock: Callable[[], float] = time.time) -> None:
        self._clock = clock
        self._engine = create_engine(url)
        if self._engine.dialect.name == "sqlite":
            _tune(self._engine)
        self._reader = self._engine.execution_options(reads=True)
        with self._writing() as connection:
            if self._engine.dialect.name == "sqlite":
                _check(connection)
            tables.metadata.create_all(connection)
            if connection.execute(select(tables.heads)).first() is None:
                connection.execute(insert(tables.heads).values(name=_LEDGER, seq=0, hash=Head().hash))
                connection.execute(insert(tables.generations).values(name=_ROUTES, last=0))

    def close(self) -> None:
        self._engine.dispose()

    def models(self, name: str | None = None) -> list[Model]:
        query = select(tables.models.c.body).order_by(tables.models.c.name)
        if name is not None:
            query = query.where(tables.models.c.name == name)
        with self._reading() as connection:
            return [Model.from_json(orjson.loads(body)) for (body,) in connection.execute(query)]

    def versions(self, model: str) -> list[Version]:
        columns = tables.versions.c
        query = select(columns.body).where(columns.model == model).order_by(columns.number)
        with self._reading() as connection:
            return [Version.from_json(orjson.loads(body)) for (body,) in connection.execute(query)]

    def rollouts(self, model: str | None = None, *, active: bool = False) -> list[Rollout]:
        columns = tables.rollouts.c
        query = select(columns.body).order_by(columns.started_at.desc(), columns.id)
        if model is not None:
            query = query.where(columns.model == model)
        if active:
            query = query.where(columns.active)
        with self._reading() as connection:
            return [Rollout.from_json(orjson.loads(body)) for (body,) in connection.execute(query)]

    def commit(self, entry: Entry, *values: Model | Version | Rollout) -> Record:
        with self._writing() as connection:
            # Taken first: on Postgres this row lock is what puts ledger records in a line.
            last = connection.execute(select(tables.heads).with_for_update()).one()
            for value in values:
                _write(connection, value)
            head = Head(last.seq, last.hash)
            record = seal(head, self._clock(), entry.actor, entry.kind, entry.model, entry.detail)
            row = record.as_json() | {"detail": canonical(record.detail)}
            connection.execute(insert(tables.records).values(row))
            connection.execute(update(tables.heads).values(seq=record.seq, hash=record.hash))
        return record

    def save(self, rollout: Rollout) -> None:
        """Keep what an active rollout has seen so far. No decision, so no ledger record."""
        columns = tables.rollouts.c
        with self._writing() as connection:
            connection.execute(
                update(tables.rollouts)
                .where(columns.id == rollout.id, columns.active)
                .values(body=_text(rollout.as_json()))
            )

    def records(self, model: str | None = None, *, after: int = 0, limit: int = 1000) -> list[Record]:
        columns = tables.records.c
        query = select(tables.records).where(columns.seq > after).order_by(columns.seq).limit(limit)
        if model is not None:
            query = query.where(columns.model == model)
        with self._reading() as connection:
            return [_record(row) for row in connection.execute(query)]

    def head(self) -> Head:
        """The ledger's last record, as it was noted when it was written."""
        with self._reading() as connection:
            row = connection.execute(select(tables.heads)).one()
            return Head(row.seq, row.hash)

    def next_generation(self) -> int:
        column = tables.generations.c.last
        with self._writing() as connection:
            query = update(tables.generations).values(last=column + 1).returning(column)
            return int(connection.execute(query).scalar_one())

    @contextmanager
    def _reading(self) -> Iterator[Connection]:
        with _named_failures(), self._reader.connect() as connection:
            yield connection

    @contextmanager
    def _writing(self) -> Iterator[Connection]:
        with _named_failures(), self._engine.begin() as connection:
            yield connection


def _write(connection: Connection, value: Model | Version | Rollout) -> None:
    body = _text(value.as_json())
    if isinstance(value, Model):
        _write_model(connection, value, body)
    elif isinstance(value, Version):
        _write_version(connection, value, body)
    else:
        _write_rollout(connection, value, body)


def _write_model(connection: Connection, model: Model, body: str) -> None:
    columns = tables.models.c
    row = {"revision": model.revision, "body": body}
    query = select(columns.revision).where(columns.name == model.name).with_for_update()
    stored = connection.execute(query).scalar() or 0
    if stored != model.revision - 1:
        raise LifecycleError(
            LifecycleCode.STALE,
            f"model {model.name!r} is at revision {stored} by now; look at it again and repeat",
        )
    if stored:
        connection.execute(update(tables.models).where(columns.name == model.name).values(row))
    else:
        connection.execute(insert(tables.models).values(name=model.name, **row))


def _write_version(connection: Connection, version: Version, body: str) -> None:
    columns = tables.versions.c
    same = (columns.model == version.model, columns.number == version.number)
    digest = connection.execute(select(columns.digest).where(*same)).scalar()
    if digest is None:
        row = {"model": version.model, "number": version.number, "digest": version.digest, "body": body}
        connection.execute(insert(tables.versions).values(row))
    elif digest == version.digest:
        connection.execute(update(tables.versions).where(*same).values(body=body))
    else:
        raise LifecycleError(
            LifecycleCode.CONFLICT,
            f"version {version.number} of model {version.model!r} is another artifact; take a new number",
        )


def _write_rollout(connection: Connection, rollout: Rollout, body: str) -> None:
    columns = tables.rollouts.c
    row = {"active": rollout.active, "body": body}
    changed = connection.execute(update(tables.rollouts).where(columns.id == rollout.id).values(row))
    if not changed.rowcount:
        key = {"id": rollout.id, "model": rollout.model, "started_at": rollout.started_at}
        connection.execute(insert(tables.rollouts).values(key | row))


def _record(row: Row[Any]) -> Record:
    try:
        detail = orjson.loads(row.detail)
    except orjson.JSONDecodeError:  # tampered with; shown as it is, and it fails its hash
        detail = {"unreadable": str(row.detail)}
    return Record.from_json({**row._mapping, "detail": detail})


def _text(data: dict[str, Any]) -> str:
    return orjson.dumps(data).decode()


def _tune(engine: Engine) -> None:
    @event.listens_for(engine, "connect")
    def connected(connection: DBAPIConnection, _record: object) -> None:
        # The driver's own transaction handling is switched off: it would begin too late to lock.
        connection.isolation_level = None
        cursor = connection.cursor()
        for setting in ("journal_mode=WAL", "synchronous=FULL", "busy_timeout=5000"):
            cursor.execute(f"PRAGMA {setting}")
        cursor.close()

    @event.listens_for(engine, "begin")
    def begin(connection: Connection) -> None:
        reads = connection.get_execution_options().get("reads", False)
        connection.exec_driver_sql("BEGIN" if reads else "BEGIN IMMEDIATE")


def _check(connection: Connection) -> None:
    if (found := connection.exec_driver_sql("PRAGMA quick_check(1)").scalar()) != "ok":
        raise LifecycleError(LifecycleCode.UNAVAILABLE, f"the registry's database is damaged: {found}")


@contextmanager
def _named_failures() -> Iterator[None]:
    try:
        yield
    except IntegrityError:
        raise LifecycleError(
            LifecycleCode.CONFLICT, "another change came first; look again and repeat"
        ) from None
    except OperationalError as error:
        raise LifecycleError(
            LifecycleCode.UNAVAILABLE, f"the registry's database cannot be used now: {error.orig}"
        ) from error
    except DatabaseError as error:
        raise LifecycleError(
            LifecycleCode.UNAVAILABLE, f"the registry's database is damaged: {error.orig}"
        ) from error
