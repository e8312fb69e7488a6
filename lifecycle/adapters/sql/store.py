"""The system of record in a SQL database: values and their ledger record in one durable transaction.

SQLite by default (write-ahead log, every commit synced to disk); a Postgres URL works as well.
"""

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict

import orjson
from sqlalchemy import ColumnElement, Connection, func, insert, select, update

from gateway.core.keys import Key
from lifecycle.adapters.sql import tables
from lifecycle.adapters.sql.deliveries import SqlDeliveries
from lifecycle.adapters.sql.engine import check, named_failures, open_engine
from lifecycle.adapters.sql.generations import Generations
from lifecycle.adapters.sql.records import read
from lifecycle.adapters.sql.requests import SqlRequests
from lifecycle.adapters.sql.rows import text, write
from lifecycle.adapters.sql.schema import prepare
from lifecycle.core.governance.ledger import Head, Record, canonical, seal
from lifecycle.core.lease import Lease
from lifecycle.core.rollouts.rollout import Rollout
from lifecycle.core.version import Model, Version
from lifecycle.errors import LifecycleCode, LifecycleError
from lifecycle.ports import Entry

MOST_NAMED = 500
"""Databases bound how many values a query may name."""


class SqlStore:
    """Implements `ports.Store` and `ports.Leases`. Safe to use from several threads.

    Once it has taken the lease, every write carries its token; one that never took it writes unfenced.

    Args:
        url: as SQLAlchemy takes it, e.g. `sqlite:///registry.db` or `postgresql://user@host/name`.
        clock: Unix time in seconds, for the ledger.

    Raises:
        LifecycleError: UNAVAILABLE if the database cannot be opened, is damaged or is of a newer Headrace,
            INVALID if the URL is not understood.
    """

    def __init__(self, url: str, clock: Callable[[], float] = time.time) -> None:
        self._clock = clock
        self._engine = open_engine(url)
        self._token: int | None = None
        self._models: dict[str, Model] = {}
        self._generations = Generations(self._writing)
        self._reader = self._engine.execution_options(reads=True)
        try:
            with self._writing() as connection:
                check(connection)
                prepare(connection)
        except LifecycleError:
            self.close()
            raise

    def close(self) -> None:
        self._engine.dispose()

    @property
    def requests(self) -> SqlRequests:
        """The changes that were asked for under an idempotency key."""
        return SqlRequests(self._engine)

    @property
    def deliveries(self) -> SqlDeliveries:
        """How far each webhook has come in the ledger."""
        return SqlDeliveries(self._engine)

    def models(self, name: str | None = None) -> list[Model]:
        columns = tables.models.c
        if name is not None:
            with self._reading() as connection:
                found = connection.execute(select(columns.body).where(columns.name == name))
                return [Model.from_json(orjson.loads(body)) for (body,) in found]
        # Every change raises a model's revision, so only changed bodies are read: of a thousand models this
        # takes 2 ms instead of 20.
        known = self._models
        with self._reading() as connection:
            rows = connection.execute(select(columns.name, columns.revision)).all()
            present = {name: model.revision for name, model in known.items()}
            stale = [row.name for row in rows if present.get(row.name) != row.revision]
            query = select(columns.body)
            if len(stale) <= MOST_NAMED:
                query = query.where(columns.name.in_(stale))
            bodies = connection.execute(query).scalars().all() if stale else ()
        fresh = (Model.from_json(orjson.loads(body)) for body in bodies)
        known = known | {model.name: model for model in fresh}
        # Sorted here: databases sort text by the rules of some language, and readers page by Python's.
        self._models = {name: known[name] for name in sorted(row.name for row in rows) if name in known}
        return list(self._models.values())

    def version_counts(self) -> dict[str, int]:
        """How many versions each model has."""
        columns = tables.versions.c
        query = select(columns.model, func.count()).group_by(columns.model)
        with self._reading() as connection:
            return {model: int(count) for model, count in connection.execute(query)}

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

    def api_keys(self) -> list[Key]:
        query = select(tables.keys.c.body).order_by(tables.keys.c.name)
        with self._reading() as connection:
            return [Key.from_json(orjson.loads(body)) for (body,) in connection.execute(query)]

    def commit(self, entry: Entry, *values: Model | Version | Rollout | Key) -> Record:
        with self._writing() as connection:
            # Taken first: on Postgres this row lock is what puts ledger records in a line.
            last = connection.execute(select(tables.heads).with_for_update()).one()
            for value in values:
                write(connection, value)
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
                .values(body=text(rollout.as_json()))
            )

    def records(
        self,
        model: str | None = None,
        *,
        after: int = 0,
        limit: int = 1000,
        scope: Sequence[str] = (),
        kind: str = "",
    ) -> list[Record]:
        with self._reading() as connection:
            return read(connection, model, after, limit, scope, kind)

    def head(self) -> Head:
        """The ledger's last record, as it was noted when it was written."""
        with self._reading() as connection:
            row = connection.execute(select(tables.heads)).one()
            return Head(row.seq, row.hash)

    def next_generation(self) -> int:
        return self._generations.take()

    def lease(self) -> Lease:
        with self._reading() as connection:
            return _lease(connection)

    def take(self, seen: Lease, holder: str) -> Lease | None:
        taken, beat = seen.taken(holder), tables.leases.c.beat
        with named_failures(), self._engine.begin() as connection:
            if not _exchange(connection, seen, taken, beat == seen.beat):
                return None
        self._token = taken.token
        return taken

    def renew(self, held: Lease) -> Lease:
        return self._succeed(held, held.renewed())

    def release(self, held: Lease) -> None:
        self._succeed(held, held.released())

    def _succeed(self, held: Lease, after: Lease) -> Lease:
        # Its beat may be older than what is stored: of the last renewal only the answer may have been lost.
        with named_failures(), self._engine.begin() as connection:
            if not _exchange(connection, held, after):
                raise _fenced()
        return after

    @contextmanager
    def _reading(self) -> Iterator[Connection]:
        with named_failures(), self._reader.connect() as connection:
            yield connection

    @contextmanager
    def _writing(self) -> Iterator[Connection]:
        with named_failures(), self._engine.begin() as connection:
            if self._token is not None and _lease(connection, hold=True).token != self._token:
                raise _fenced()
            yield connection


def _lease(connection: Connection, *, hold: bool = False) -> Lease:
    """`hold` keeps it from being taken until this transaction is over."""
    columns = tables.leases.c
    query = select(columns.holder, columns.token, columns.beat)
    row = connection.execute(query.with_for_update(read=True) if hold else query).one()
    return Lease(row.holder, row.token, row.beat)


def _exchange(connection: Connection, before: Lease, after: Lease, *also: ColumnElement[bool]) -> bool:
    """Whether the lease was still its holder's, and now is the other."""
    columns = tables.leases.c
    same = (columns.holder == before.holder, columns.token == before.token)
    changed = connection.execute(update(tables.leases).where(*same, *also).values(asdict(after)))
    return changed.rowcount == 1


def _fenced() -> LifecycleError:
    return LifecycleError(
        LifecycleCode.CONFLICT, "another controller has taken over; nothing was changed. Ask that one"
    )
