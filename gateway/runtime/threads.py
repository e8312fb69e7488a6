"""Threads on which no owner's runs can keep the others from running, however long they take.

An owner has as many runs at once as there are threads, and no more. One that takes long while somebody else
waits gives its place away: another thread starts in its stead, and ends once it is over. So what a wedged
version costs the others is a wait of `LONG_S`, and a share of the processor.
"""

import queue
import threading
import time
from collections import Counter, deque
from collections.abc import Callable, Hashable
from concurrent.futures import Future
from functools import partial
from typing import Any, TypeVar

T = TypeVar("T")

LONG_S = 0.25
"""How long a run keeps its place from others at most."""


class _Job:
    __slots__ = ("future", "long", "owner", "run", "started")

    def __init__(self, owner: Hashable, run: Callable[[], Any]) -> None:
        self.owner = owner
        self.run = run
        self.future: Future[Any] = Future()
        self.started = 0.0
        self.long = False


class FairThreads:
    """Threads are started when they are needed first, and wait for more.

    Args:
        count: runs at once, but for those that take long.
        room: runs of one owner that may wait.
    """

    def __init__(self, count: int, room: int) -> None:
        self._count = count
        self._most = count + room
        self._places = count  # and one for each long run
        self._threads: set[threading.Thread] = set()
        self._idle = 0  # of those, they wait and were not woken
        self._waiting: deque[_Job] = deque()
        self._running: set[_Job] = set()
        self._runs: Counter[Hashable] = Counter()
        self._held: Counter[Hashable] = Counter()  # running or waiting
        self._work_came = threading.Condition()
        self._closed = False

    def submit(self, owner: Hashable, run: Callable[[], T]) -> "Future[T]":
        """What the run will give. Raises RuntimeError when closed, queue.Full without room for the owner."""
        job = _Job(owner, run)
        with self._work_came:
            if self._closed:
                raise RuntimeError("closed")
            if self._held[owner] >= self._most:
                raise queue.Full
            self._held[owner] += 1
            self._waiting.append(job)
            self._attend()
        job.future.add_done_callback(partial(self._drop, job))
        return job.future

    @property
    def waited_for(self) -> bool:
        """Whether some run waits for a place."""
        return bool(self._waiting)

    def relieve(self) -> None:
        """Give the places of long runs to who waits. To be called every `LONG_S` while somebody does."""
        with self._work_came:
            since = time.monotonic() - LONG_S
            for job in self._running:
                if not job.long and job.started < since and self._next() is not None:
                    job.long = True
                    self._places += 1
                    self._attend()

    def close(self) -> None:
        """Let runs under way finish and drop what waits. Blocks until no thread is left."""
        with self._work_came:
            self._closed = True
            dropped, threads = list(self._waiting), list(self._threads)
            self._work_came.notify_all()
        for job in dropped:
            job.future.cancel()
        for thread in threads:
            thread.join()

    def _attend(self) -> None:
        if self._idle:
            self._idle -= 1  # not by the one that wakes: until it does, it could be woken again, in vain
            self._work_came.notify()
        elif len(self._threads) < self._places:
            thread = threading.Thread(target=self._work, name="headrace-run", daemon=True)
            thread.start()  # which may fail, where a system has no more of them
            self._threads.add(thread)

    def _next(self) -> _Job | None:
        return next((job for job in self._waiting if self._runs[job.owner] < self._count), None)

    def _work(self) -> None:
        while (job := self._take()) is not None:
            if not job.future.set_running_or_notify_cancel():
                self._finish(job)
                continue
            try:
                answer = job.run()
            except BaseException as error:
                self._finish(job)
                job.future.set_exception(error)
            else:
                self._finish(job)
                job.future.set_result(answer)

    def _take(self) -> _Job | None:
        with self._work_came:
            while len(self._threads) <= self._places:
                if (job := self._next()) is not None:
                    self._waiting.remove(job)
                    self._running.add(job)
                    self._runs[job.owner] += 1
                    job.started = time.monotonic()
                    return job
                if self._closed:
                    break
                self._idle += 1
                self._work_came.wait()
            self._threads.remove(threading.current_thread())
            if self._next() is not None:  # for those that stay
                self._attend()
            return None

    def _finish(self, job: _Job) -> None:
        with self._work_came:
            self._running.remove(job)
            self._places -= job.long
            _less(self._runs, job.owner)
            _less(self._held, job.owner)

    def _drop(self, job: _Job, future: "Future[T]") -> None:
        if future.cancelled():
            with self._work_came:
                if job in self._waiting:
                    self._waiting.remove(job)
                    _less(self._held, job.owner)


def _less(counts: Counter[Hashable], owner: Hashable) -> None:
    counts[owner] -= 1
    if not counts[owner]:
        del counts[owner]
