"""The worker's threads for costly runs: fair shares, bounded queues, deadlines, an end to wedged runs."""

import asyncio
import contextlib
import logging
import queue
import time
from collections.abc import Callable, Hashable
from concurrent.futures import CancelledError
from functools import partial
from typing import Any, TypeVar

from onnxruntime import RunOptions

from gateway.errors import ErrorCode, GatewayError, late
from gateway.runtime.session import run_options
from gateway.runtime.threads import LONG_S, FairThreads, Job
from gateway.runtime.watchdog import Watchdog

T = TypeVar("T")
log = logging.getLogger(__name__)


class Pool:
    """Runs jobs on threads.

    Args:
        threads: runs at once.
        queue: jobs of one owner that may wait beyond those.
        max_run_s: a run longer than this is wedged and gets ended.
    """

    def __init__(self, threads: int, queue: int, max_run_s: float) -> None:
        self.threads = threads
        self.queue = queue
        self._max_run_ns = int(max_run_s * 1e9)
        self._threads = FairThreads(threads, queue)
        self._relief: asyncio.TimerHandle | None = None
        self._watchdog = Watchdog()
        self.wedged = 0
        """Runs ended because they took longer than `max_run_s`."""

    def submit(
        self, job: Callable[[RunOptions], T], deadline_ns: int, owner: Hashable = None
    ) -> "asyncio.Future[T]":
        """The job's answer, from within the event loop. The job must hand its options to the run: they end
        it when the answer is cancelled. Owners share the threads fairly.

        Raises (at once, or as the future's exception):
            GatewayError: OVERLOADED without room to wait, DEADLINE if the deadline passed before the run
                (or in it), or the run was wedged.

        Cancelling the future ends the run and frees its thread.
        """
        options, loop = run_options(), asyncio.get_running_loop()
        answer: asyncio.Future[T] = loop.create_future()
        try:
            held = self._threads.submit(
                owner, partial(self.run, job, deadline_ns, options), partial(_tell, loop, answer)
            )
        except queue.Full:
            raise overloaded() from None
        except RuntimeError:  # shut down, or a system that has no more threads
            raise GatewayError(ErrorCode.NOT_READY, "this worker takes no runs now; try again") from None
        if self._relief is None:
            self._relief = loop.call_later(LONG_S, self._relieve)
        answer.add_done_callback(partial(self._end, held, options))
        return answer

    def _end(self, held: Job, options: RunOptions, answer: "asyncio.Future[Any]") -> None:
        if answer.cancelled():
            options.terminate = True
            self._threads.drop(held)

    def _relieve(self) -> None:
        self._relief = None
        if self._threads.waited_for:
            self._threads.relieve()
            self._relief = asyncio.get_running_loop().call_later(LONG_S, self._relieve)

    def run(self, job: Callable[[RunOptions], T], deadline_ns: int, options: RunOptions | None = None) -> T:
        """The job's answer, run in the calling thread under the same watch. Raises DEADLINE as above."""
        now = time.monotonic_ns()
        if deadline_ns and now >= deadline_ns:
            raise late()
        ends_ns = now + self._max_run_ns
        if deadline_ns:
            ends_ns = min(ends_ns, deadline_ns)
        options = run_options() if options is None else options
        self._watchdog.watch(options, ends_ns)
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
        finally:
            self._watchdog.forget(options)

    async def close(self) -> None:
        """Let running jobs finish (the watchdog ends them in time), drop waiting ones, take no more."""
        # Before any thread has its turn: a run that ends meanwhile may call for the next.
        self._threads.stop()
        if self._relief is not None:
            self._relief.cancel()
        await asyncio.to_thread(self._threads.close)
        await asyncio.to_thread(self._watchdog.close)


def _tell(
    loop: asyncio.AbstractEventLoop, answer: "asyncio.Future[T]", given: T, error: BaseException | None
) -> None:
    with contextlib.suppress(RuntimeError):  # the loop is closed, and nobody waits
        loop.call_soon_threadsafe(_settle, answer, given, error)


def _settle(answer: "asyncio.Future[T]", given: T, error: BaseException | None) -> None:
    if answer.done():
        return
    if error is None:
        answer.set_result(given)
    elif isinstance(error, CancelledError):
        answer.cancel()
    else:
        answer.set_exception(error)


def overloaded() -> GatewayError:
    return GatewayError(ErrorCode.OVERLOADED, "this worker's queue is full; try again later")
