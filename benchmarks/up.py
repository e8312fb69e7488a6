"""A Headrace of a benchmark's own, with its defaults, on free ports."""

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from benchmarks.load.processes import free_port


@dataclass(frozen=True, slots=True)
class Ports:
    http: int
    grpc: int
    admin: int

    @property
    def admin_url(self) -> str:
        return f"http://127.0.0.1:{self.admin}"


@contextmanager
def up(home: Path) -> Iterator[Ports]:
    """Up until the block ends."""
    ports = Ports(free_port(), free_port(), free_port())
    flags = (f"--http-port={ports.http}", f"--grpc-port={ports.grpc}", f"--admin-port={ports.admin}")
    _headrace(home, "up", "--detach", *flags)
    try:
        yield ports
    finally:
        _headrace(home, "down")


def _headrace(home: Path, *words: str) -> None:
    command = [sys.executable, "-m", "lifecycle.cli", *words, "--home", str(home)]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
