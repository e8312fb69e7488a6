"""A private PostgreSQL server for tests and fault runs: a folder of its own, a unix socket, no network."""

import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import psutil
import psycopg

MISSING = "PostgreSQL is not installed; `apt-get install postgresql` brings it"
START_S = 60.0


class Postgres:
    """A running server."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._databases = 0
        self._server: subprocess.Popen[bytes] | None = None

    def database(self) -> str:
        """The URL of a new, empty database."""
        self._databases += 1
        name = f"registry{self._databases}"
        with psycopg.connect(self._address("postgres"), autocommit=True) as connection:
            connection.execute(f"CREATE DATABASE {name}".encode())
        return f"postgresql://headrace@/{name}?host={self._folder}"

    @contextmanager
    def frozen(self) -> Iterator[None]:
        """None of its processes runs, and its kernel takes what is sent to it."""
        assert self._server is not None
        server = psutil.Process(self._server.pid)
        processes = [server, *server.children(recursive=True)]
        _signal_all(processes, signal.SIGSTOP)
        try:
            yield
        finally:
            _signal_all(processes, signal.SIGCONT)

    def wait(self, server: "subprocess.Popen[bytes]") -> None:
        self._server = server
        deadline = time.monotonic() + START_S
        while True:
            try:
                return psycopg.connect(self._address("postgres")).close()
            except psycopg.OperationalError:
                if server.poll() is not None or time.monotonic() > deadline:
                    raise
                time.sleep(0.05)

    def _address(self, database: str) -> str:
        return f"host={self._folder} user=headrace dbname={database}"


def programs() -> Path | None:
    """The folder with `initdb` and `postgres`; None if there is none. Debian keeps them off the path."""
    if found := shutil.which("initdb"):
        return Path(found).resolve().parent
    debian = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))
    return debian[-1].parent if debian else None


@contextmanager
def running() -> Iterator[Postgres]:
    """Raises FileNotFoundError if it is not installed."""
    found = programs()
    if found is None:
        raise FileNotFoundError(MISSING)
    folder = Path(tempfile.mkdtemp(prefix="headrace-postgres-"))
    # The server refuses to run as root.
    user = "postgres" if os.geteuid() == 0 else None
    if user:
        os.chown(folder, pwd.getpwnam(user).pw_uid, -1)
    try:
        data = str(folder / "data")
        _initialise(found, data, folder, user)
        server = subprocess.Popen(
            [str(found / "postgres"), "-D", data, "-k", str(folder), "-c", "listen_addresses="],
            cwd=folder,
            user=user,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        try:
            postgres = Postgres(folder)
            postgres.wait(server)
            yield postgres
        finally:
            server.send_signal(signal.SIGINT)  # its fast shutdown: clients are cut off
            server.wait(START_S)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _initialise(found: Path, data: str, folder: Path, user: str | None) -> None:
    options = ["--username=headrace", "--auth=trust", "--encoding=UTF8", "--locale=C", "--no-sync"]
    command = [str(found / "initdb"), "-D", data, *options]
    subprocess.run(command, cwd=folder, user=user, check=True, stdout=subprocess.DEVNULL)


def _signal_all(processes: Iterable[psutil.Process], number: signal.Signals) -> None:
    for process in processes:
        with suppress(psutil.NoSuchProcess):  # some come and go by themselves
            process.send_signal(number)
