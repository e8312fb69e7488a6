"""The node's copy of the route table, for a start while no controller answers. Its workers share the file.

A write is one transaction over what changed, so a crash leaves the copy as it was before or after.
"""

import logging
import sqlite3
from collections.abc import Iterable
from contextlib import closing
from pathlib import Path

import orjson

from gateway.core.delta import RouteDelta
from gateway.core.keys import Keyring
from gateway.core.routing import ModelRoute, RouteTable

log = logging.getLogger(__name__)

_SCHEMA = """
    CREATE TABLE IF NOT EXISTS routes (name TEXT PRIMARY KEY, body BLOB NOT NULL);
    CREATE TABLE IF NOT EXISTS state (one INTEGER PRIMARY KEY CHECK (one = 1), generation INTEGER, keys BLOB);
"""


class SavedRoutes:
    """One SQLite file, shared by the workers of a node."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def keep(self, update: RouteTable | RouteDelta, table: RouteTable) -> None:
        """Store what an update led to, unless another worker did already. Blocks; never raises for the disk.

        Args:
            table: the whole table after the update.
        """
        try:
            try:
                self._write(update, table)
            except sqlite3.OperationalError:
                raise
            except sqlite3.DatabaseError:  # not a database, or damaged
                self._path.unlink()
                self._write(table, table)
        except (OSError, sqlite3.Error) as error:
            log.error("the copy of the route table cannot be written: %s", error)

    def load(self) -> RouteTable | None:
        """The table that was kept last; None if there is none that can be read. Blocks."""
        if not self._path.exists():
            return None
        try:
            with closing(sqlite3.connect(self._path)) as database:
                state = database.execute("SELECT generation, keys FROM state").fetchone()
                rows = database.execute("SELECT body FROM routes ORDER BY name").fetchall()
            routes = [ModelRoute.from_json(orjson.loads(body)) for (body,) in rows]
            keys = Keyring.from_json(orjson.loads(state[1]))
            return RouteTable(state[0], {route.name: route for route in routes}, keys)
        except (sqlite3.Error, ValueError, KeyError, TypeError) as error:
            log.warning("the copy of the route table cannot be read: %s", error)
            return None

    def _write(self, update: RouteTable | RouteDelta, table: RouteTable) -> None:
        with closing(sqlite3.connect(self._path, isolation_level=None)) as database:
            database.executescript(_SCHEMA)
            database.execute("BEGIN IMMEDIATE")
            with database:
                (stored,) = database.execute("SELECT generation FROM state").fetchone() or (0,)
                if isinstance(update, RouteDelta) and stored >= update.base:
                    if stored < update.generation:
                        database.executemany("DELETE FROM routes WHERE name = ?", ((n,) for n in update.gone))
                        _put(database, update.models.values())
                        _note(database, table)
                elif stored != table.generation:
                    database.execute("DELETE FROM routes")
                    _put(database, table.models.values())
                    _note(database, table)


def _put(database: sqlite3.Connection, routes: Iterable[ModelRoute]) -> None:
    rows = ((route.name, orjson.dumps(route.as_json())) for route in routes)
    database.executemany("INSERT OR REPLACE INTO routes VALUES (?, ?)", rows)


def _note(database: sqlite3.Connection, table: RouteTable) -> None:
    keys = orjson.dumps(table.keys.as_json())
    database.execute("INSERT OR REPLACE INTO state VALUES (1, ?, ?)", (table.generation, keys))
