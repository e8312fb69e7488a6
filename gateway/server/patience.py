"""Under load each process of a request's way lets the others finish; a quiet one is never kept waiting.

Whoever hands a request on wakes a process, which Linux lets interrupt it, so that on few processors nearly
every request costs switches of its own. Under SCHED_BATCH (sched(7)) a process that wakes up waits for the
one that runs; meanwhile more requests gather, and a fifth more are answered. The price is latency beside
programs that have nothing to do with it, so it holds for busy threads only.
"""

import asyncio
import contextlib
import math
import os
import time
from collections.abc import Callable

WORKER, EDGE = 0.21, 0.52
"""Shares of a processor. One client that asks as fast as it can takes .19 of each of two workers and .41 of
an edge; 32 of them take .23 and .67."""
_LOOK_S = 0.5


class Patience:
    """Moves one thread between SCHED_OTHER and SCHED_BATCH, where there is such a thing.

    Args:
        busy: the share of a processor from which on the thread lets others finish.
        used_s: tells the processor time that the thread has taken so far.
        thread: the thread's id or that of a process, of which the first one is meant. 0 is whoever calls.
    """

    def __init__(self, busy: float, used_s: Callable[[], float], thread: int = 0) -> None:
        self._busy, self._used, self._thread = busy, used_s, thread
        self._used_s, self._at = math.inf, time.monotonic()  # the first look tells nothing
        self._batch = False
        self._timer: asyncio.TimerHandle | None = None

    def start(self) -> None:
        self.look()
        self._timer = asyncio.get_running_loop().call_later(_LOOK_S, self.start)

    def stop(self) -> None:
        """Look no more, and leave the thread as it was."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        self._move(batch=False)

    def look(self) -> None:
        """See how busy the thread was since the last look."""
        now, used_s = time.monotonic(), self._used()
        share = (used_s - self._used_s) / max(now - self._at, 1e-3)
        self._used_s, self._at = used_s, now
        self._move(batch=share >= self._busy)

    def _move(self, *, batch: bool) -> None:
        if batch is self._batch or not hasattr(os, "SCHED_BATCH"):
            return
        self._batch = batch
        with contextlib.suppress(OSError):  # it ended, or may not
            before, then = (os.SCHED_OTHER, os.SCHED_BATCH) if batch else (os.SCHED_BATCH, os.SCHED_OTHER)
            if os.sched_getscheduler(self._thread) == before:  # another one was somebody's decision
                os.sched_setscheduler(self._thread, then, os.sched_param(0))
