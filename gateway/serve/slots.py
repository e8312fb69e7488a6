"""Slots: names with a number that processes take turns to own, such as the sockets that HAProxy knows."""

import fcntl
import os
from pathlib import Path

from gateway.errors import ErrorCode, GatewayError
from gateway.server.run_dir import make


class Slot:
    """A claim on one slot, held by a file lock: it ends with the process, even by `kill -9`."""

    def __init__(self, number: int, descriptor: int) -> None:
        self.number = number
        self._descriptor = descriptor

    def release(self) -> None:
        os.close(self._descriptor)


def claim(run_dir: Path, kind: str, slots: int) -> Slot:
    """Take the lowest free slot of a kind. Raises GatewayError OVERLOADED without one, or as `make` does."""
    make(run_dir)
    for number in range(slots):
        descriptor = os.open(run_dir / f"{kind}-{number}.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(descriptor)
            continue
        return Slot(number, descriptor)
    raise GatewayError(ErrorCode.OVERLOADED, f"all {slots} {kind} slots of this node are taken")
