"""Idempotency keys in the SQL database: noted before a change, answered after it, forgotten in a day."""

import math

from sqlalchemy import Engine, delete, insert, select, update

from lifecycle.adapters.sql import tables
from lifecycle.adapters.sql.engine import named_failures
from lifecycle.core.asked import Asked

KEPT_S = 86_400.0
_TIDY_EVERY_S = 600.0
"""Labels come under keys too, many a second, and to look for old ones reads the whole table."""


class SqlRequests:
    """Implements `ports.Requests`."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._tidied_at = -math.inf

    def ask(self, caller: str, key: str, fingerprint: str, now: float) -> Asked | None:
        columns = tables.requests.c
        with named_failures(), self._engine.begin() as connection:
            if abs(now - self._tidied_at) >= _TIDY_EVERY_S:
                connection.execute(delete(tables.requests).where(columns.at < int(now - KEPT_S)))
                self._tidied_at = now
            query = select(columns.fingerprint, columns.status, columns.etag, columns.body)
            row = connection.execute(query.where(columns.caller == caller, columns.key == key)).one_or_none()
            if row is not None:
                return Asked(row.fingerprint, row.status, row.etag, row.body)
            values = {"caller": caller, "key": key, "fingerprint": fingerprint, "at": int(now)}
            connection.execute(insert(tables.requests).values(values))
            return None

    def answer(self, caller: str, key: str, asked: Asked) -> None:
        columns = tables.requests.c
        with named_failures(), self._engine.begin() as connection:
            connection.execute(
                update(tables.requests)
                .where(columns.caller == caller, columns.key == key)
                .values(status=asked.status, etag=asked.etag, body=asked.body)
            )

    def forget(self, caller: str, key: str) -> None:
        columns = tables.requests.c
        with named_failures(), self._engine.begin() as connection:
            connection.execute(delete(tables.requests).where(columns.caller == caller, columns.key == key))
