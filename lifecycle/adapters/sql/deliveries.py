"""How far each webhook has come in the ledger, in the SQL database."""

from sqlalchemy import Engine, insert, select, update

from lifecycle.adapters.sql import tables
from lifecycle.adapters.sql.engine import named_failures


class SqlDeliveries:
    """Implements `ports.Deliveries`."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def reached(self, hook: str) -> int | None:
        columns = tables.deliveries.c
        with named_failures(), self._engine.connect() as connection:
            found: int | None = connection.execute(select(columns.seq).where(columns.hook == hook)).scalar()
            return found

    def reach(self, hook: str, seq: int) -> None:
        columns = tables.deliveries.c
        with named_failures(), self._engine.begin() as connection:
            moved = update(tables.deliveries).where(columns.hook == hook).values(seq=seq)
            if not connection.execute(moved).rowcount:
                connection.execute(insert(tables.deliveries).values(hook=hook, seq=seq))
