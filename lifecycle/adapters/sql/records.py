"""Reads the ledger's table. What was tampered with is shown as it is, for the verifier to name."""

from collections.abc import Sequence
from typing import Any

import orjson
from sqlalchemy import Column, ColumnElement, Connection, Row, func, or_, select

from lifecycle.adapters.sql import tables
from lifecycle.core.governance.ledger import Record, canonical


def read(
    connection: Connection, model: str | None, after: int, limit: int, scope: Sequence[str], kind: str
) -> list[Record]:
    """As `ports.Store.records` says."""
    columns = tables.records.c
    query = select(tables.records).where(columns.seq > after).order_by(columns.seq).limit(limit)
    if model is not None:
        query = query.where(columns.model == model)
    if scope:
        query = query.where(or_(*(_covered(columns.model, item) for item in scope)))
    if kind:
        query = query.where(or_(columns.kind == kind, _covered(columns.kind, f"{kind}.*")))
    return [_record(row) for row in connection.execute(query)]


def _covered(name: Column[str], item: str) -> ColumnElement[bool]:
    """`item` is a name, or a prefix that ends in `*`. Not by LIKE: to SQLite that is blind to case."""
    prefix = item.removesuffix("*")
    return name == item if prefix == item else func.substr(name, 1, len(prefix)) == prefix


def _record(row: Row[Any]) -> Record:
    try:
        detail = orjson.loads(row.detail)
        written = canonical(detail) == row.detail
    except orjson.JSONDecodeError:
        written = False
    if not written:  # tampered with; shown as it is, and it fails its hash
        detail = {"unreadable": str(row.detail)}
    return Record.from_json({**row._mapping, "detail": detail})
