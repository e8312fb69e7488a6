"""Numbers of route tables, which only ever grow."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from threading import Lock

from sqlalchemy import Connection, update

from lifecycle.adapters.sql import tables

RESERVED = 1_000
"""So many are reserved at a time, since every write waits for the disk. A restart skips what is left."""


class Generations:
    """Gives the numbers, each once.

    Args:
        writing: opens a transaction that fails for who has lost the lease.
    """

    def __init__(self, writing: Callable[[], AbstractContextManager[Connection]]) -> None:
        self._writing = writing
        self._taking = Lock()
        self._last = self._reserved = 0

    def take(self) -> int:
        """The next one. Safe to call from several threads."""
        with self._taking:
            if self._last == self._reserved:
                self._reserved = self._reserve()
                self._last = self._reserved - RESERVED
            self._last += 1
            return self._last

    def _reserve(self) -> int:
        column = tables.generations.c.last
        with self._writing() as connection:
            query = update(tables.generations).values(last=column + RESERVED).returning(column)
            return int(connection.execute(query).scalar_one())
