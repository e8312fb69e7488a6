"""How the database is opened, and what its failures are called. Knows nothing of what it holds."""

import math
import sqlite3
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import orjson
from sqlalchemy import Connection, Engine, create_engine, event, make_url
from sqlalchemy.engine.interfaces import DBAPIConnection, DBAPICursor
from sqlalchemy.exc import ArgumentError, DatabaseError, DataError, IntegrityError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from lifecycle.errors import LifecycleCode, LifecycleError

WAIT_S = 5.0
"""How long a statement waits for another process's."""
_NETWORK = {
    "keepalives_idle": math.ceil(WAIT_S),
    "keepalives_interval": 1,
    "keepalives_count": math.ceil(WAIT_S),
    "tcp_user_timeout": round(2_000 * WAIT_S),
}
"""To libpq: a server that the network has lost is given up in seconds; its own defaults take many minutes."""


def open_engine(url: str) -> Engine:
    """Raises LifecycleError INVALID if the URL is not understood or its driver is not installed."""
    try:
        parsed = make_url(url)
        if parsed.drivername == "postgresql":
            parsed = parsed.set(drivername="postgresql+psycopg")
            said = {name: str(value) for name, value in _NETWORK.items() if name not in parsed.query}
            parsed = parsed.update_query_dict(said)
        # A server may have been started again since the last use; a file has no connection to lose.
        engine = create_engine(parsed, pool_pre_ping=parsed.get_backend_name() != "sqlite")
    except ArgumentError:
        message = "`store` is not a database URL; give one like sqlite:///FILE or postgresql://USER@HOST/NAME"
        raise LifecycleError(LifecycleCode.INVALID, message) from None
    except ModuleNotFoundError as error:
        message = f"`store` needs the package {error.name}; for Postgres install headrace[postgres]"
        raise LifecycleError(LifecycleCode.INVALID, message) from None
    if engine.dialect.name == "sqlite":
        _tune(engine)
    elif engine.dialect.name == "postgresql":
        _be_patient(engine)
        if engine.driver == "psycopg":
            _give_up_silence(engine)
    return engine


def check(connection: Connection) -> None:
    """Raises LifecycleError UNAVAILABLE, with the first fault, if the file is damaged."""
    if connection.dialect.name != "sqlite":
        return  # a server looks after its own files
    if (found := connection.exec_driver_sql("PRAGMA quick_check(1)").scalar()) != "ok":
        raise LifecycleError(LifecycleCode.UNAVAILABLE, f"the registry's database is damaged: {found}")


@contextmanager
def named_failures() -> Iterator[None]:
    """A database's errors as LifecycleError.

    CONFLICT for a lost race, INVALID for a value that it cannot hold, UNAVAILABLE for all others.
    """
    try:
        yield
    except IntegrityError:
        raise LifecycleError(
            LifecycleCode.CONFLICT, "another change came first; look again and repeat"
        ) from None
    except (DataError, OverflowError, UnicodeEncodeError, orjson.JSONEncodeError):
        message = "a number is too large, or a text holds what no database could; correct it"
        raise LifecycleError(LifecycleCode.INVALID, message) from None
    except OperationalError as error:
        message = f"the registry's database cannot be used now: {_line(error)}"
        raise LifecycleError(LifecycleCode.UNAVAILABLE, message) from error
    except PoolTimeout:
        message = "the registry's database is asked for more at once than it has connections; try again"
        raise LifecycleError(LifecycleCode.UNAVAILABLE, message) from None
    except DatabaseError as error:
        message = f"the registry's database is damaged: {_line(error)}"
        raise LifecycleError(LifecycleCode.UNAVAILABLE, message) from error


def _line(error: DatabaseError) -> str:
    return " ".join(str(error.orig).split())


def _give_up_silence(engine: Engine) -> None:
    from lifecycle.adapters.sql.silence import Silence  # needs the driver, which is an extra

    silence = Silence()

    @event.listens_for(engine, "do_connect")
    def connect(_dialect: object, _record: object, _args: Sequence[Any], params: Mapping[str, Any]) -> object:
        return silence.connect(**params)


def _be_patient(engine: Engine) -> None:
    @event.listens_for(engine, "connect")
    def connected(connection: DBAPIConnection, _record: object) -> None:
        cursor = connection.cursor()
        cursor.execute(f"SET lock_timeout = {_milliseconds(WAIT_S)}")
        cursor.close()
        connection.commit()


def _milliseconds(seconds: float) -> int:
    return round(1_000 * seconds)


def _tune(engine: Engine) -> None:
    @event.listens_for(engine, "connect")
    def connected(connection: DBAPIConnection, _record: object) -> None:
        # The driver's own transaction handling is switched off: it would begin too late to lock.
        connection.isolation_level = None
        cursor = connection.cursor()
        for setting in (f"busy_timeout={_milliseconds(WAIT_S)}", "synchronous=FULL"):
            cursor.execute(f"PRAGMA {setting}")
        _log_ahead(cursor)
        cursor.close()

    @event.listens_for(engine, "begin")
    def begin(connection: Connection) -> None:
        reads = connection.get_execution_options().get("reads", False)
        connection.exec_driver_sql("BEGIN" if reads else "BEGIN IMMEDIATE")


def _log_ahead(cursor: DBAPICursor) -> None:
    # While another process opens a new file too, this fails at once: SQLite does not wait for it.
    for _ in range(100):
        try:
            cursor.execute("PRAGMA journal_mode=WAL")
        except sqlite3.OperationalError:
            time.sleep(0.05)
        else:
            return
    cursor.execute("PRAGMA journal_mode=WAL")
