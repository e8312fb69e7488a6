"""Joins the waiting requests of one version into one run along dimension 0, and splits the answer.

A batch forms only while the pool is busy with this version, so joining never delays a request that
could run at once. Lives in the event loop; only the runs themselves are on threads.
"""

import asyncio
import time
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
from onnxruntime import RunOptions

from gateway.core.figures import Run
from gateway.core.types import Array
from gateway.errors import ErrorCode, GatewayError
from gateway.runtime.pool import Pool, late, overloaded
from gateway.runtime.session import Session
from gateway.runtime.stages import Note

Answer = dict[str, Array]

_ABANDONED = "this worker gave the run up; try again"


@dataclass(slots=True)
class _Waiting:
    inputs: Mapping[str, Array]
    rows: int
    elements: int
    deadline_ns: int
    answer: "asyncio.Future[Answer]"
    arrived_ns: int


@dataclass(slots=True)
class _Lane:
    """Requests that can be joined: of the same shape but for dimension 0, for the same outputs."""

    outputs: tuple[str, ...]
    waiting: deque[_Waiting] = field(default_factory=deque)
    running: int = 0
    flushing: bool = False


class Batcher:
    """One version's lanes.

    Args:
        most_elements: input elements in one run, unless a single request has more.
        note: is told of every run; from a thread of the pool.
    """

    def __init__(self, session: Session, pool: Pool, most_elements: float, note: Note) -> None:
        self._note = note
        self._session = session
        self._pool = pool
        self._most = most_elements
        self._lanes: dict[object, _Lane] = {}
        self._waiting = 0
        self._tasks: set[asyncio.Task[None]] = set()

    async def run(self, inputs: Mapping[str, Array], outputs: tuple[str, ...], deadline_ns: int) -> Answer:
        """Raises GatewayError as `Pool.submit` and `Session.run` do."""
        if self._waiting >= self._pool.queue:
            raise overloaded()
        loop = asyncio.get_running_loop()
        shapes = tuple((name, array.shape[1:]) for name, array in sorted(inputs.items()))
        lane = self._lanes.setdefault((outputs, shapes), _Lane(outputs))
        rows = {array.shape[0] for array in inputs.values()}
        if len(rows) > 1:
            raise GatewayError(ErrorCode.INVALID, "the inputs have different numbers of rows")
        elements = sum(array.size for array in inputs.values())
        answer: asyncio.Future[Answer] = loop.create_future()
        arrived_ns = time.monotonic_ns()
        lane.waiting.append(_Waiting(inputs, rows.pop(), elements, deadline_ns, answer, arrived_ns))
        self._waiting += 1
        if not lane.flushing:
            lane.flushing = True
            loop.call_soon(self._flush, lane)  # after the requests that arrived in the same turn
        if not deadline_ns:
            return await answer
        left_s = (deadline_ns - time.monotonic_ns()) / 1e9
        alarm = loop.call_later(left_s, _expire, answer)  # in time, even if its batch runs on for others
        try:
            return await answer
        finally:
            alarm.cancel()

    def _flush(self, lane: _Lane) -> None:
        lane.flushing = False
        while lane.waiting and lane.running < self._pool.threads:
            if batch := self._take(lane):
                lane.running += 1
                task = asyncio.create_task(self._answer(lane, batch))
                self._tasks.add(task)
                task.add_done_callback(self._tasks.discard)
        if not lane.waiting and not lane.running:
            self._lanes = {key: held for key, held in self._lanes.items() if held is not lane}

    def _take(self, lane: _Lane) -> list[_Waiting]:
        batch: list[_Waiting] = []
        elements, now = 0, time.monotonic_ns()
        while lane.waiting:
            first = lane.waiting[0]
            if batch and elements + first.elements > self._most:
                break
            lane.waiting.popleft()
            self._waiting -= 1
            if first.answer.done():  # its caller has gone
                continue
            if first.deadline_ns and first.deadline_ns <= now:
                first.answer.set_exception(late())
                continue
            batch.append(first)
            elements += first.elements
        return batch

    async def _answer(self, lane: _Lane, batch: list[_Waiting]) -> None:
        try:
            if len(batch) == 1 or not await self._together(lane, batch):
                await asyncio.gather(*(self._alone(lane, request) for request in batch))
        finally:
            for request in batch:
                if not request.answer.done():
                    request.answer.set_exception(GatewayError(ErrorCode.NOT_READY, _ABANDONED))
            lane.running -= 1
            self._flush(lane)

    async def _together(self, lane: _Lane, batch: list[_Waiting]) -> bool:
        """False if the run failed, which may be the fault of one request only."""
        names = batch[0].inputs
        joined = {name: np.concatenate([request.inputs[name] for request in batch]) for name in names}
        deadlines = [request.deadline_ns for request in batch]
        try:
            answer = await self._run(batch, joined, lane.outputs, max(deadlines) if all(deadlines) else 0)
        except GatewayError:
            return False
        ends = np.cumsum([request.rows for request in batch]).tolist()
        if any(array.shape[:1] != (ends[-1],) for array in answer.values()):
            return False
        for request, end in zip(batch, ends, strict=True):
            if not request.answer.done():
                start = end - request.rows
                request.answer.set_result({name: array[start:end] for name, array in answer.items()})
        return True

    async def _alone(self, lane: _Lane, request: _Waiting) -> None:
        if request.answer.done():  # its caller has gone, or its deadline has passed
            return
        try:
            answer = await self._run([request], request.inputs, lane.outputs, request.deadline_ns)
        except GatewayError as error:
            if not request.answer.done():
                request.answer.set_exception(error)
        except asyncio.CancelledError:
            if not request.answer.done():
                raise
        else:
            if not request.answer.done():
                request.answer.set_result(answer)

    def _run(
        self,
        batch: list[_Waiting],
        inputs: Mapping[str, Array],
        outputs: tuple[str, ...],
        deadline_ns: int,
    ) -> "asyncio.Future[Answer]":
        arrived, formed_ns = tuple(request.arrived_ns for request in batch), time.monotonic_ns()

        def job(options: RunOptions) -> Answer:
            started_ns = time.monotonic_ns()
            try:
                return self._session.run(inputs, outputs, options)
            finally:
                self._note(Run(arrived, formed_ns, started_ns, time.monotonic_ns()))

        run = self._pool.submit(job, deadline_ns)

        def leave(_: "asyncio.Future[Answer]") -> None:
            if all(request.answer.done() for request in batch):
                run.cancel()  # nobody waits for it; nothing happens if it is over

        for request in batch:
            request.answer.add_done_callback(leave)
        return run


def _expire(answer: "asyncio.Future[Answer]") -> None:
    if not answer.done():
        answer.set_exception(late())
