"""Threads on which no owner's runs can keep the others from running, however long they take.

An owner has as many runs at once as there are threads, and no more. One that takes long while somebody else
waits gives its place away: another thread starts in its stead, and ends once it is over. So what a wedged
version costs the others is a wait of `LONG_S`, and a share of the processor.
"""

import queue
import threading
import time
from collections import deque
from collections.abc import Callable, Hashable
from concurrent.futures import CancelledError
from typing import Any, TypeVar

T = TypeVar("T")

LONG_S = 0.25
"""How long a run keeps its place from others at most."""

Done = Callable[[Any, BaseException | None], None]
"""Is given what a run gave, or what it raised; from a thread."""


class Job:
    """A run that waits for a thread, or has one."""

    __slots__ = ("done", "long", "owner", "run", "started")

    def __init__(self, owner: Hashable, run: Callable[[], Any], done: Done) -> None:
        self.owner = owner
        self.run = run
        self.done = done
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
        # What idle threads wait for, each for its own: the one that ran last has the warmest caches.
        self._idle: list[threading.Lock] = []
        self._waiting: deque[Job] = deque()
        self._running: set[Job] = set()
        self._runs: dict[Hashable, int] = {}
        self._held: dict[Hashable, int] = {}  # running or waiting
        self._changing = threading.Lock()
        self._closed = False

    def submit(self, owner: Hashable, run: Callable[[], T], done: Done) -> Job:
        """Have a thread run it, and tell what came of it; a run that `stop` drops was cancelled.

        Raises RuntimeError when closed or no thread can be had, queue.Full without room for the owner.
        """
        job = Job(owner, run, done)
        with self._changing:
            if self._closed:
                raise RuntimeError("closed")
            held = self._held.get(owner, 0)
            if held >= self._most:
                raise queue.Full
            self._attend()  # may fail, so it comes first; whoever is woken waits for the lock
            self._held[owner] = held + 1
            self._waiting.append(job)
        return job

    def drop(self, job: Job) -> None:
        """Do not run it, if it has not begun. Nothing is told of it then."""
        with self._changing:
            if job in self._waiting:
                self._waiting.remove(job)
                _less(self._held, job.owner)

    @property
    def waited_for(self) -> bool:
        """Whether some run waits for a place."""
        return bool(self._waiting)

    def relieve(self) -> None:
        """Give the places of long runs to who waits. To be called every `LONG_S` while somebody does."""
        with self._changing:
            since = time.monotonic() - LONG_S
            for job in self._running:
                if not job.long and job.started < since and self._next() is not None:
                    job.long = True
                    self._places += 1
                    self._attend()

    def stop(self) -> None:
        """Drop what waits and take no more; runs under way go on."""
        with self._changing:
            self._closed = True
            dropped = list(self._waiting)
            self._waiting.clear()
            while self._idle:
                self._idle.pop().release()
        for job in dropped:
            job.done(None, CancelledError())

    def close(self) -> None:
        """Stop, and let runs under way finish. Blocks until no thread is left."""
        self.stop()
        with self._changing:
            threads = list(self._threads)
        for thread in threads:
            thread.join()

    def _attend(self) -> None:
        if self._idle:
            self._idle.pop().release()
        elif len(self._threads) < self._places:
            thread = threading.Thread(target=self._work, name="headrace-run", daemon=True)
            try:
                thread.start()
            except RuntimeError:  # a system that has no more of them
                if not self._threads:
                    raise
            else:
                self._threads.add(thread)

    def _next(self) -> Job | None:
        for job in self._waiting:
            if self._runs.get(job.owner, 0) < self._count:
                return job
        return None

    def _work(self) -> None:
        called = threading.Lock()
        called.acquire()
        while True:
            with self._changing:
                job = self._take()
                if job is None and (self._closed or len(self._threads) > self._places):
                    self._retire()
                    return
                if job is None:
                    self._idle.append(called)
            if job is None:
                called.acquire()
                continue
            answer, error = None, None
            try:
                answer = job.run()
            except BaseException as raised:
                error = raised
            self._finish(job)  # first: whoever hears of it may come with the next
            job.done(answer, error)
            del job, answer, error  # nothing of it is kept while there is nothing to do

    def _take(self) -> Job | None:
        if len(self._threads) > self._places or (job := self._next()) is None:
            return None
        self._waiting.remove(job)
        self._running.add(job)
        self._runs[job.owner] = self._runs.get(job.owner, 0) + 1
        job.started = time.monotonic()
        return job

    def _retire(self) -> None:
        self._threads.remove(threading.current_thread())
        if self._next() is not None:  # for those that stay
            self._attend()

    def _finish(self, job: Job) -> None:
        with self._changing:
            self._running.remove(job)
            self._places -= job.long
            _less(self._runs, job.owner)
            _less(self._held, job.owner)


def _less(counts: dict[Hashable, int], owner: Hashable) -> None:
    left = counts[owner] - 1
    if left:
        counts[owner] = left
    else:
        del counts[owner]
