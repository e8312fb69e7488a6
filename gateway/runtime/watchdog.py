"""Ends runs that take too long. One thread, asleep while nothing is due."""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Protocol


class Stoppable(Protocol):
    """The handle of a run; ONNX Runtime looks at `terminate` between two operators."""

    terminate: bool


class Watchdog:
    def __init__(self) -> None:
        self._due: dict[int, tuple[int, Stoppable]] = {}
        self._wakes_ns = 0
        self._changed = threading.Condition()
        self._closed = False
        self._thread = threading.Thread(target=self._watch, name="headrace-watchdog", daemon=True)
        self._thread.start()

    @contextmanager
    def ending(self, run: Stoppable, at_ns: int) -> Iterator[None]:
        """Within the block, the run is told to end once the monotonic clock passes `at_ns`."""
        with self._changed:
            self._due[id(run)] = (at_ns, run)
            if not self._wakes_ns or at_ns < self._wakes_ns:
                self._changed.notify()
        try:
            yield
        finally:
            with self._changed:
                self._due.pop(id(run), None)

    def _watch(self) -> None:
        with self._changed:
            while not self._closed:
                now = time.monotonic_ns()
                for key, (at_ns, run) in list(self._due.items()):
                    if at_ns <= now:
                        run.terminate = True
                        del self._due[key]
                # Runs that end in time leave the wake-up as it is: waking once in vain is cheaper
                # than a signal per run.
                self._wakes_ns = min((at_ns for at_ns, _ in self._due.values()), default=0)
                self._changed.wait((self._wakes_ns - now) / 1e9 if self._wakes_ns else None)

    def close(self) -> None:
        with self._changed:
            self._closed = True
            self._changed.notify()
        self._thread.join()
