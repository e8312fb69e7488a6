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
from functools import partial
from itertools import accumulate

from onnxruntime import RunOptions

from gateway.core.batching import BatchSize
from gateway.core.figures import Run
from gateway.core.types import Array, joined
from gateway.errors import ErrorCode, GatewayError, late
from gateway.runtime.placement import Cost
from gateway.runtime.pool import Pool, overloaded
from gateway.runtime.session import Session
from gateway.runtime.stages import Note

Answer = dict[str, Array]

START_NS = 10_000_000
"""How long a run may be before longer ones were measured to be better."""
_MOST_LANES = 64
_ABANDONED = "this worker gave the run up; try again"


@dataclass(slots=True, eq=False)
class _Waiting:
    inputs: Mapping[str, Array]
    rows: int
    deadline_ns: int
    answer: "asyncio.Future[Answer]"
    arrived_ns: int
    batch: "_Batch | None" = None
    """What it runs with, once it does."""


@dataclass(slots=True, eq=False)
class _Batch:
    """Requests that share a run, of which `wanted` are still waited for."""

    requests: list[_Waiting]
    wanted: int
    run: "asyncio.Future[Answer] | None" = None
    took_ns: int = 0
    """In the engine; 0 if it failed there."""

    @property
    def rows(self) -> int:
        return sum([request.rows for request in self.requests])

    def inputs(self) -> Mapping[str, Array]:
        """Of all requests as of one."""
        first = self.requests[0].inputs
        if len(self.requests) == 1:
            return first
        return joined([request.inputs for request in self.requests])

    def until_ns(self) -> int:
        """The last deadline; 0 if some request has none."""
        deadlines = [request.deadline_ns for request in self.requests]
        return max(deadlines) if all(deadlines) else 0

    def deal(self, answer: Answer) -> bool:
        """Give each request its rows; False if there is another number of them."""
        if len(self.requests) == 1:
            _set(self.requests[0].answer, answer)
            return True
        ends = list(accumulate([request.rows for request in self.requests]))
        if any(array.shape[:1] != (ends[-1],) for array in answer.values()):
            return False
        for request, end in zip(self.requests, ends, strict=True):
            start = end - request.rows
            _set(request.answer, {name: array[start:end] for name, array in answer.items()})
        return True

    def refuse(self, error: BaseException) -> None:
        for request in self.requests:
            if not request.answer.done():
                request.answer.set_exception(error)


@dataclass(slots=True, eq=False)
class _Lane:
    """Requests that can be joined: of the same shape but for dimension 0, for the same outputs.

    `rows` are those of what waits, `running` the runs under way.
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
        self._lanes: OrderedDict[object, _Lane] = OrderedDict()  # the longest unused first
        self._waiting = 0

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
        request = _Waiting(inputs, rows, deadline_ns, answer, time.monotonic_ns())
        lane.waiting.append(request)
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
            self._give_up(lane, request)
            raise
        finally:
            if alarm is not None:
                alarm.cancel()

    def _lane(self, inputs: Mapping[str, Array], outputs: tuple[str, ...]) -> _Lane:
        shapes = tuple([(name, array.shape[1:]) for name, array in sorted(inputs.items())])
        key = (outputs, shapes)
        lane = self._lanes.get(key)
        if lane is not None:
            self._lanes.move_to_end(key)
            return lane
        elements = sum(math.prod(shape) for _, shape in shapes)
        row_ns = self._cost.fixed_ns + self._cost.element_ns * elements
        lane = self._lanes[key] = _Lane(outputs, BatchSize(row_ns, START_NS, self._most_ns))
        if len(self._lanes) > _MOST_LANES:  # callers may send any number of shapes
            self._forget_one()
        return lane

    def _forget_one(self) -> None:
        for key, lane in self._lanes.items():
            if not lane.waiting and not lane.running:
                del self._lanes[key]
                return

    def _give_up(self, lane: _Lane, request: _Waiting) -> None:
        """Nobody waits for it any more: its place is for others, and a run that is for nobody is ended."""
        batch = request.batch
        if batch is not None:
            batch.wanted -= 1
            if not batch.wanted and batch.run is not None:
                batch.run.cancel()  # nothing happens if it is over
        elif request in lane.waiting:
            lane.waiting.remove(request)
            self._left(lane, request)

    def _left(self, lane: _Lane, request: _Waiting) -> None:
        lane.rows -= request.rows
        self._waiting -= 1

    def _flush(self, lane: _Lane) -> None:
        lane.flushing = False
        while lane.waiting and lane.running < self._pool.threads:
            if requests := self._take(lane):
                self._start(lane, requests)

    def _take(self, lane: _Lane) -> list[_Waiting]:
        taken: list[_Waiting] = []
        rows, now = 0, time.monotonic_ns()
        # One run for all would leave the other threads idle.
        share = -(-lane.rows // (self._pool.threads - lane.running))
        most = min(lane.size.rows, share)
        while lane.waiting:
            first = lane.waiting[0]
            if taken and rows + first.rows > most:
                break
            self._left(lane, lane.waiting.popleft())
            if first.answer.done():  # its caller has gone
                continue
            if first.deadline_ns and first.deadline_ns <= now:
                first.answer.set_exception(late())
                continue
            taken.append(first)
            rows += first.rows
        return taken

    def _start(self, lane: _Lane, requests: list[_Waiting]) -> None:
        """One run for all of them; their answers come with its end."""
        batch, formed_ns = _Batch(requests, len(requests)), time.monotonic_ns()

        def job(options: RunOptions) -> Answer:
            begun_ns = time.monotonic_ns()
            try:
                inputs = batch.inputs()  # here, since much of it would hold up the loop
                started_ns = time.monotonic_ns()
                answer = self._session.run(inputs, lane.outputs, options)
                batch.took_ns = time.monotonic_ns() - started_ns
                return answer
            finally:
                arrived = tuple([request.arrived_ns for request in requests])
                self._note(Run(arrived, formed_ns, begun_ns, time.monotonic_ns(), batch.rows))

        try:
            batch.run = self._pool.submit(job, batch.until_ns(), self._session)
        except GatewayError as error:
            batch.refuse(error)
            return
        lane.running += 1
        for request in requests:
            request.batch = batch
        batch.run.add_done_callback(partial(self._over, lane, batch))

    def _over(self, lane: _Lane, batch: _Batch, run: "asyncio.Future[Answer]") -> None:
        lane.running -= 1
        if batch.took_ns:
            lane.size.learn(batch.rows, batch.took_ns)
        if run.cancelled():
            batch.refuse(GatewayError(ErrorCode.NOT_READY, _ABANDONED))
        elif (error := run.exception()) is not None and len(batch.requests) == 1:
            batch.refuse(error)
        elif error is not None or not batch.deal(run.result()):
            for request in batch.requests:  # it may be the fault of one of them only
                if not request.answer.done():
                    self._start(lane, [request])
        self._flush(lane)


def _set(answer: "asyncio.Future[Answer]", given: Answer) -> None:
    if not answer.done():  # its caller has gone, or its deadline has passed
        answer.set_result(given)


def _expire(answer: "asyncio.Future[Answer]") -> None:
    if not answer.done():
        answer.set_exception(late())
