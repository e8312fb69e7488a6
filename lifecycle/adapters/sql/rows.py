"""Each value in a row of its own, which the next one of its name or number takes over."""

from typing import Any

import orjson
from sqlalchemy import Connection, insert, select, update

from gateway.core.keys import Key
from lifecycle.adapters.sql import tables
from lifecycle.core.rollouts.rollout import Rollout
from lifecycle.core.version import Model, Version
from lifecycle.errors import LifecycleCode, LifecycleError


def write(connection: Connection, value: Model | Version | Rollout | Key) -> None:
    """Raises as `ports.Store.commit` does of stale models and numbers that are taken."""
    body = text(value.as_json())
    if isinstance(value, Model):
        _write_model(connection, value, body)
    elif isinstance(value, Version):
        _write_version(connection, value, body)
    elif isinstance(value, Key):
        _write_key(connection, value, body)
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


def _write_key(connection: Connection, key: Key, body: str) -> None:
    same = tables.keys.c.name == key.name
    if not connection.execute(update(tables.keys).where(same).values(body=body)).rowcount:
        connection.execute(insert(tables.keys).values(name=key.name, body=body))


def text(data: dict[str, Any]) -> str:
    """A value's JSON, as its row has it."""
    return orjson.dumps(data).decode()
