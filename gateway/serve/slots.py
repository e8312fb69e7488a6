"""Slots: the fixed set of socket names that HAProxy knows and workers take turns to own."""

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


def claim(run_dir: Path, slots: int) -> Slot:
    """Take the lowest free slot. Raises GatewayError OVERLOADED if all are taken, or as `make` does."""
    make(run_dir)
    for number in range(slots):
        descriptor = os.open(run_dir / f"worker-{number}.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(descriptor)
            continue
        return Slot(number, descriptor)
    raise GatewayError(ErrorCode.OVERLOADED, f"all {slots} worker slots of this node are taken")
