"""Joins the waiting requests of one version into one run along dimension 0, and splits the answer.

A batch forms only while the pool is busy with this version, so joining never delays a request that
could run at once. Lives in the event loop; only the runs themselves are on threads.
"""

import asyncio
import math
import time
from collections import OrderedDict, deque
from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
from onnxruntime import RunOptions

from gateway.core.batching import BatchSize
from gateway.core.figures import Run
from gateway.core.types import Array
from gateway.errors import ErrorCode, GatewayError
from gateway.runtime.placement import Cost
from gateway.runtime.pool import Pool, late, overloaded
from gateway.runtime.session import Session
from gateway.runtime.stages import Note

Answer = dict[str, Array]

START_NS = 10_000_000
"""How long a run may be before longer ones were measured to be better."""
_MOST_SIZES = 64
_ABANDONED = "this worker gave the run up; try again"


@dataclass(slots=True, eq=False)
class _Waiting:
    inputs: Mapping[str, Array]
    rows: int
    deadline_ns: int
    answer: "asyncio.Future[Answer]"
    arrived_ns: int


@dataclass(slots=True)
class _Lane:
    """Requests that can be joined: of the same shape but for dimension 0, for the same outputs.

    `rows` are those of what waits.
    """

    outputs: tuple[str, ...]
    size: BatchSize
    rows: int = 0
    waiting: deque[_Waiting] = field(default_factory=deque)
    running: int = 0
    flushing: bool = False


class Batcher:
    """One version's lanes.

    Args:
        cost: as measured at warm-up: from it come the first runs' sizes.
        most_ns: how long a run of several requests may be foreseen to take.
        note: is told of every run; from a thread of the pool.
    """

    def __init__(self, session: Session, pool: Pool, cost: Cost, most_ns: float, note: Note) -> None:
        self._note = note
        self._session = session
        self._pool = pool
        self._cost = cost
        self._most_ns = most_ns
        self._lanes: dict[object, _Lane] = {}
        self._sizes: OrderedDict[object, BatchSize] = OrderedDict()
        self._waiting = 0
        self._tasks: set[asyncio.Task[None]] = set()

    async def run(self, inputs: Mapping[str, Array], outputs: tuple[str, ...], deadline_ns: int) -> Answer:
        """Raises GatewayError as `Pool.submit` and `Session.run` do."""
        if self._waiting >= self._pool.queue:
            raise overloaded()
        loop = asyncio.get_running_loop()
        counts = {array.shape[0] for array in inputs.values()}
        if len(counts) > 1:
            raise GatewayError(ErrorCode.INVALID, "the inputs have different numbers of rows")
        rows = counts.pop()
        lane = self._lane(inputs, outputs)
        answer: asyncio.Future[Answer] = loop.create_future()
        waiting = _Waiting(inputs, rows, deadline_ns, answer, time.monotonic_ns())
        lane.waiting.append(waiting)
        lane.rows += rows
        self._waiting += 1
        if not lane.flushing:
            lane.flushing = True
            loop.call_soon(self._flush, lane)  # after the requests that arrived in the same turn
        alarm = None
        if deadline_ns:
            left_s = (deadline_ns - time.monotonic_ns()) / 1e9
            alarm = loop.call_later(left_s, _expire, answer)  # in time, even if its batch runs on for others
        try:
            return await answer
        except BaseException:
            if waiting in lane.waiting:  # nobody waits for it: others need its place
                lane.waiting.remove(waiting)
                self._left(lane, waiting)
            raise
        finally:
            if alarm is not None:
                alarm.cancel()

    def _lane(self, inputs: Mapping[str, Array], outputs: tuple[str, ...]) -> _Lane:
        shapes = tuple((name, array.shape[1:]) for name, array in sorted(inputs.items()))
        key = (outputs, shapes)
        lane = self._lanes.get(key)
        if lane is None:
            size = self._sizes.pop(key, None)
            if size is None:
                elements = sum(math.prod(shape) for _, shape in shapes)
                row_ns = self._cost.fixed_ns + self._cost.element_ns * elements
                size = BatchSize(row_ns, START_NS, self._most_ns)
            lane = self._lanes[key] = _Lane(outputs, size)
            self._sizes[key] = size  # kept when its lane is empty; callers may send any number of shapes
            while len(self._sizes) > _MOST_SIZES:
                self._sizes.popitem(last=False)
        return lane

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
        rows, now = 0, time.monotonic_ns()
        # One run for all would leave the other threads idle.
        share = -(-lane.rows // (self._pool.threads - lane.running))
        most = min(lane.size.rows, share)
        while lane.waiting:
            first = lane.waiting[0]
            if batch and rows + first.rows > most:
                break
            self._left(lane, lane.waiting.popleft())
            if first.answer.done():  # its caller has gone
                continue
            if first.deadline_ns and first.deadline_ns <= now:
                first.answer.set_exception(late())
                continue
            batch.append(first)
            rows += first.rows
        return batch

    def _left(self, lane: _Lane, request: _Waiting) -> None:
        lane.rows -= request.rows
        self._waiting -= 1

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
            answer = await self._run(lane, batch, joined, max(deadlines) if all(deadlines) else 0)
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
            answer = await self._run(lane, [request], request.inputs, request.deadline_ns)
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
        self, lane: _Lane, batch: list[_Waiting], inputs: Mapping[str, Array], deadline_ns: int
    ) -> "asyncio.Future[Answer]":
        arrived, formed_ns = tuple(request.arrived_ns for request in batch), time.monotonic_ns()
        rows = sum(request.rows for request in batch)
        took_ns: list[int] = []

        def job(options: RunOptions) -> Answer:
            started_ns = time.monotonic_ns()
            try:
                answer = self._session.run(inputs, lane.outputs, options)
                took_ns.append(time.monotonic_ns() - started_ns)
                return answer
            finally:
                self._note(Run(arrived, formed_ns, started_ns, time.monotonic_ns(), rows))

        run = self._pool.submit(job, deadline_ns, self._session)

        def learn(_: "asyncio.Future[Answer]") -> None:
            for each in took_ns:  # none if the run failed
                lane.size.learn(rows, each)

        run.add_done_callback(learn)

        def leave(_: "asyncio.Future[Answer]") -> None:
            if all(request.answer.done() for request in batch):
                run.cancel()  # nobody waits for it; nothing happens if it is over

        for request in batch:
            request.answer.add_done_callback(leave)
        return run


def _expire(answer: "asyncio.Future[Answer]") -> None:
    if not answer.done():
        answer.set_exception(late())
