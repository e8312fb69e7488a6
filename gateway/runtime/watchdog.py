"""Ends runs that take too long. One thread, asleep while nothing is due."""

import threading
import time
from typing import Protocol


class Stoppable(Protocol):
    """The handle of a run; ONNX Runtime looks at `terminate` between two operators."""

    terminate: bool


class Watchdog:
    """Its thread starts with it and ends with `close`."""

    def __init__(self) -> None:
        self._due: dict[int, tuple[int, Stoppable]] = {}
        self._wakes_ns = 0
        self._changed = threading.Condition()
        self._closed = False
        self._thread = threading.Thread(target=self._watch, name="headrace-watchdog", daemon=True)
        self._thread.start()

    def watch(self, run: Stoppable, at_ns: int) -> None:
        """Tell the run to end once the monotonic clock passes `at_ns`, unless it was forgotten before."""
        self._due[id(run)] = (at_ns, run)
        # Looked at after the above, and set to 0 before `_due` is looked through: so the lock, which costs as
        # much as all else, is for the few that are due sooner than anything yet.
        wakes_ns = self._wakes_ns
        if not wakes_ns or at_ns < wakes_ns:
            with self._changed:
                self._changed.notify()

    def forget(self, run: Stoppable) -> None:
        """The run is over."""
        self._due.pop(id(run), None)

    def _watch(self) -> None:
        with self._changed:
            while not self._closed:
                self._wakes_ns = 0
                now = time.monotonic_ns()
                for key, (at_ns, run) in list(self._due.items()):
                    if at_ns <= now:
                        run.terminate = True
                        self._due.pop(key, None)
                # Runs that end in time leave the wake-up as it is: waking once in vain is cheaper
                # than a signal per run.
                left = [at_ns for at_ns, _ in list(self._due.values())]
                self._wakes_ns = min(left, default=0)
                self._changed.wait((self._wakes_ns - now) / 1e9 if self._wakes_ns else None)

    def close(self) -> None:
        with self._changed:
            self._closed = True
            self._changed.notify()
        self._thread.join()
