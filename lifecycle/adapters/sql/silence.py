"""A PostgreSQL server that has stopped answering, as one does that is frozen: nobody waits for it for long.

A server that is gone refuses, and the network's own timers tell of a host that is lost. One that is frozen
does neither: its host's kernel takes whatever it is sent. Statements that are only slow are waited for.
"""

import time
from collections.abc import Generator
from threading import Lock, Thread
from typing import Any

import psycopg
from psycopg.abc import PQGen

ANSWER_S = 2.0
"""How long a statement waits before it is asked whether the server answers anybody."""
GREETING_S = 2
"""How long a server may take to greet a new connection; libpq knows no less."""
AGAIN_S = 1.0
SILENT = "the server does not answer"


class Silence:
    """Whether the server is silent. While it is, every call fails at once: the event loop makes some of them.

    One thread asks again meanwhile, and only its word ends it.
    """

    def __init__(self) -> None:
        self._silent = False
        self._noticing = Lock()
        self._params: dict[str, Any] = {}

    def connect(self, **params: Any) -> "Heard":
        """A connection as libpq's `params` say. Raises psycopg.OperationalError."""
        self.refuse()
        self._params = {"connect_timeout": GREETING_S, **params}
        try:
            connection = Heard.connect(**self._params)
        except psycopg.errors.ConnectionTimeout:
            self._notice()
            raise
        connection.silence = self
        return connection

    def refuse(self) -> None:
        """Raises psycopg.OperationalError while the server is silent."""
        if self._silent:
            raise psycopg.OperationalError(SILENT)

    def ask(self) -> None:
        """Find out whether the server is silent; takes `GREETING_S` seconds if it is."""
        if not self._silent and not self._greets():
            self._notice()

    def _greets(self) -> bool:
        try:
            psycopg.connect(**self._params).close()
        except psycopg.errors.ConnectionTimeout:
            return False
        except psycopg.Error:
            pass  # an answer too: who calls next hears it
        return True

    def _notice(self) -> None:
        with self._noticing:
            if not self._silent:
                self._silent = True
                Thread(target=self._ask_again, name="registry-silence", daemon=True).start()

    def _ask_again(self) -> None:
        while not self._greets():
            time.sleep(AGAIN_S)
        self._silent = False


class Heard(psycopg.Connection[Any]):
    """A connection that is closed, and its statement given up, when the server is silent."""

    silence: Silence | None = None

    def wait(self, gen: PQGen[Any], interval: float = 0.1, timeout: float | None = None) -> Any:
        return super().wait(
            gen if self.silence is None else self._heard(gen, self.silence), interval, timeout
        )

    def _heard(self, gen: PQGen[Any], silence: Silence) -> Generator[Any, Any, Any]:
        self._refuse(silence)
        asks_at = time.monotonic() + ANSWER_S
        try:
            wanted = next(gen)
            while True:
                ready = yield wanted
                if not ready and time.monotonic() >= asks_at:
                    silence.ask()
                    self._refuse(silence)
                    asks_at = time.monotonic() + ANSWER_S
                wanted = gen.send(ready)
        except StopIteration as end:
            return end.value

    def _refuse(self, silence: Silence) -> None:
        try:
            silence.refuse()
        except psycopg.OperationalError:
            self.close()  # whatever the server may still say to it, nobody listens
            raise
