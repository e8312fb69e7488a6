"""The worker's threads for costly runs: bounded queue, deadlines, and an end to wedged runs."""

import asyncio
import logging
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from functools import partial
from typing import TypeVar

from onnxruntime import RunOptions

from gateway.errors import ErrorCode, GatewayError
from gateway.runtime.session import run_options
from gateway.runtime.watchdog import Watchdog

T = TypeVar("T")
log = logging.getLogger(__name__)


class Pool:
    """Runs jobs on threads.

    Args:
        threads: runs at once.
        queue: jobs that may wait beyond those.
        max_run_s: a run longer than this is wedged and gets ended.
    """

    def __init__(self, threads: int, queue: int, max_run_s: float) -> None:
        self.threads = threads
        self.queue = queue
        self._max_run_ns = int(max_run_s * 1e9)
        self._room = threading.Semaphore(threads + queue)
        self._executor = ThreadPoolExecutor(threads, thread_name_prefix="headrace-run")
        self._watchdog = Watchdog()
        self.wedged = 0
        """Runs ended because they took longer than `max_run_s`."""

    def submit(self, job: Callable[[RunOptions], T], deadline_ns: int) -> "asyncio.Future[T]":
        """The job's answer, from within the event loop. The job must hand its options to the run: they end
        it when the answer is cancelled.

        Raises (at once, or as the future's exception):
            GatewayError: OVERLOADED without room to wait, DEADLINE if the deadline passed before the run
                (or in it), or the run was wedged.

        Cancelling the future ends the run and frees its thread.
        """
        if not self._room.acquire(blocking=False):
            raise overloaded()
        options = run_options()
        try:
            future = self._executor.submit(self.run, job, deadline_ns, options)
        except RuntimeError:  # shut down
            self._room.release()
            raise GatewayError(ErrorCode.NOT_READY, "this worker is shutting down; try again") from None
        future.add_done_callback(self._leave)
        answer = asyncio.wrap_future(future)
        answer.add_done_callback(partial(_end, options))
        return answer

    def _leave(self, _: "Future[T]") -> None:
        self._room.release()

    def run(self, job: Callable[[RunOptions], T], deadline_ns: int, options: RunOptions | None = None) -> T:
        """The job's answer, run in the calling thread under the same watch. Raises DEADLINE as above."""
        now = time.monotonic_ns()
        if deadline_ns and now >= deadline_ns:
            raise late()
        ends_ns = now + self._max_run_ns
        if deadline_ns:
            ends_ns = min(ends_ns, deadline_ns)
        options = run_options() if options is None else options
        with self._watchdog.ending(options, ends_ns):
            try:
                return job(options)
            except GatewayError:
                if not options.terminate:
                    raise
                if time.monotonic_ns() < ends_ns:
                    raise GatewayError(ErrorCode.CANCELLED, "the caller has gone") from None
                if ends_ns == deadline_ns:
                    raise late() from None
                self.wedged += 1
                log.error("a run is ended after %g s", self._max_run_ns / 1e9)
                raise GatewayError(
                    ErrorCode.DEADLINE, f"the model ran for {self._max_run_ns / 1e9:g} s and was ended"
                ) from None

    async def close(self) -> None:
        """Let running jobs finish (the watchdog ends them in time), drop waiting ones, take no more."""
        self._executor.shutdown(wait=False, cancel_futures=True)
        await asyncio.to_thread(self._executor.shutdown)
        await asyncio.to_thread(self._watchdog.close)


def _end(options: RunOptions, answer: "asyncio.Future[T]") -> None:
    if answer.cancelled():
        options.terminate = True


def late() -> GatewayError:
    return GatewayError(ErrorCode.DEADLINE, "the request's deadline passed before it was answered")


def overloaded() -> GatewayError:
    return GatewayError(ErrorCode.OVERLOADED, "this worker's queue is full; try again later")
