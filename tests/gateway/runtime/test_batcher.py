import asyncio
import threading
import time
from collections.abc import AsyncIterator, Callable, Mapping

import numpy as np
import pytest
from onnxruntime import RunOptions

from gateway.core.figures import Run
from gateway.core.types import Array
from gateway.errors import ErrorCode, GatewayError
from gateway.runtime.batcher import START_NS, Batcher
from gateway.runtime.placement import Cost
from gateway.runtime.pool import Pool
from gateway.runtime.session import Session
from gateway.runtime.signature import signature_of

FAR_NS = 3_600 * 10**9


def costing(rows: int) -> Cost:
    """By which so many rows are joined at first."""
    return Cost(START_NS / rows, 0.0, 1)


class Counting(Session):
    """The real session, which also tells how many rows each run had, and can hold the first one up."""

    def __init__(self, model: bytes) -> None:
        super().__init__(model, signature_of(model))
        self.runs: list[int] = []
        self.told: list[Run] = []
        self.started = threading.Event()
        self.gate = threading.Event()
        self.gate.set()

    def run(
        self, inputs: Mapping[str, Array], outputs: tuple[str, ...], options: RunOptions | None = None
    ) -> dict[str, Array]:
        self.runs.append(len(next(iter(inputs.values()))))
        self.started.set()
        assert self.gate.wait(10)
        return super().run(inputs, outputs, options)


@pytest.fixture
async def pool() -> AsyncIterator[Pool]:
    pool = Pool(threads=1, queue=50, max_run_s=30.0)
    yield pool
    await pool.close()


@pytest.fixture
def batcher(pool: Pool) -> Callable[..., tuple[Counting, Batcher]]:
    def build(model: bytes, rows: int = 1000) -> tuple[Counting, Batcher]:
        session = Counting(model)
        return session, Batcher(session, pool, costing(rows), 1e12, session.told.append)

    return build


Build = Callable[..., tuple[Counting, Batcher]]


def indices(*values: int) -> dict[str, Array]:
    return {"i": np.array(values, np.int64)}


async def crowd(
    session: Counting, batcher: Batcher, requests: list[dict[str, Array]], deadline_ns: int = 0
) -> list[dict[str, Array] | BaseException]:
    """Answers of requests that arrive while a first one is running; the first one's is left out."""
    session.gate.clear()
    first = asyncio.create_task(batcher.run(indices(0), (), 0))
    await asyncio.to_thread(session.started.wait, 10)
    others = [asyncio.create_task(batcher.run(inputs, (), deadline_ns)) for inputs in requests]
    for _ in others:
        await asyncio.sleep(0)  # they line up behind the first
    session.gate.set()
    await first
    return await asyncio.gather(*others, return_exceptions=True)


async def test_a_lone_request_runs_at_once_and_alone(lookup: bytes, batcher: Build) -> None:
    session, joined = batcher(lookup)
    answer = await joined.run(indices(1, 2), (), 0)
    assert answer["y"].tolist() == [10, 20]
    assert session.runs == [2]


async def test_requests_of_one_turn_share_a_run(lookup: bytes, batcher: Build) -> None:
    session, joined = batcher(lookup)
    answers = await asyncio.gather(*(joined.run(indices(i), (), 0) for i in range(4)))
    assert [answer["y"].tolist() for answer in answers] == [[0], [10], [20], [30]]
    assert session.runs == [4]
    (run,) = session.told
    assert len(run.arrived) == 4
    assert max(run.arrived) <= run.formed <= run.started <= run.ended


async def test_requests_that_wait_for_a_run_share_the_next(lookup: bytes, batcher: Build) -> None:
    session, joined = batcher(lookup)
    answers = await crowd(session, joined, [indices(3), indices(1), indices()])
    assert [a["y"].tolist() for a in answers if isinstance(a, dict)] == [[30], [10], []]
    assert session.runs == [1, 2]


async def test_a_batch_ends_at_its_size(lookup: bytes, batcher: Build) -> None:
    session, joined = batcher(lookup, 2)
    await asyncio.gather(*(joined.run(indices(i % 4), (), 0) for i in range(3)))
    assert session.runs == [2, 1]
    await joined.run(indices(0, 1, 2, 3), (), 0)
    assert session.runs[-1] == 4


async def test_idle_threads_share_what_waits(lookup: bytes) -> None:
    pool, session = Pool(2, 50, 10.0), Counting(lookup)
    joined = Batcher(session, pool, costing(1000), 1e12, session.told.append)
    answers = await asyncio.gather(*(joined.run(indices(i), (), 0) for i in range(4)))
    assert [answer["y"].tolist() for answer in answers] == [[0], [10], [20], [30]]
    assert session.runs == [2, 2]
    await pool.close()


async def test_the_size_follows_what_runs_take(slow: bytes) -> None:
    pool, session = Pool(1, 200, 60.0), Counting(slow)
    joined = Batcher(
        session, pool, costing(1), 1e9, session.told.append
    )  # thought to be dear, so that it starts with one row
    row = {"x": np.ones((1, 256), np.float32)}
    for _ in range(6):
        await asyncio.gather(*(joined.run(row, (), 0) for _ in range(16)))
    assert session.runs[0] == 1
    assert max(session.runs) >= 8  # its rows are far cheaper together
    await pool.close()


async def test_one_bad_request_fails_alone(lookup: bytes, batcher: Build) -> None:
    session, joined = batcher(lookup)
    good, bad = await crowd(session, joined, [indices(1), indices(9)])
    assert isinstance(good, dict)
    assert good["y"].tolist() == [10]
    assert isinstance(bad, GatewayError)
    assert bad.code is ErrorCode.INTERNAL
    assert session.runs == [1, 2, 1, 1]


async def test_one_wedged_request_does_not_take_its_neighbours_along(endless: bytes) -> None:
    pool, session = Pool(threads=1, queue=50, max_run_s=0.2), Counting(endless)
    joined = Batcher(session, pool, costing(1000), 1e12, session.told.append)
    inputs = [{"x": np.full((1, 1), value, np.float32)} for value in (0.5, 2.0, 0.25)]
    good, wedged, other = await asyncio.gather(
        *(joined.run(each, (), 0) for each in inputs), return_exceptions=True
    )
    assert isinstance(good, dict)
    assert isinstance(other, dict)
    assert isinstance(wedged, GatewayError)
    assert wedged.code is ErrorCode.DEADLINE
    await pool.close()


async def test_other_shapes_and_other_outputs_run_apart(logistic: bytes, batcher: Build) -> None:
    session, joined = batcher(logistic)
    row = {"x": np.zeros((1, 30), np.float32)}
    both, only = await asyncio.gather(joined.run(row, (), 0), joined.run(row, ("label",), 0))
    assert (list(both), list(only)) == (["label", "probabilities"], ["label"])
    assert session.runs == [1, 1]


async def test_rows_that_disagree_between_inputs_are_the_callers_fault(lookup: bytes, batcher: Build) -> None:
    _, joined = batcher(lookup)
    with pytest.raises(GatewayError, match="numbers of rows") as caught:
        await joined.run({"i": np.zeros(1), "j": np.zeros(2)}, (), 0)
    assert caught.value.code is ErrorCode.INVALID


async def test_what_waited_past_its_deadline_does_not_run(lookup: bytes, batcher: Build) -> None:
    session, joined = batcher(lookup)
    (answer,) = await crowd(session, joined, [indices(1)], deadline_ns=time.monotonic_ns() - 1)
    assert isinstance(answer, GatewayError)
    assert answer.code is ErrorCode.DEADLINE
    assert session.runs == [1]


async def test_a_caller_who_left_costs_no_run(lookup: bytes, batcher: Build) -> None:
    session, joined = batcher(lookup)
    session.gate.clear()
    first = asyncio.create_task(joined.run(indices(0), (), 0))
    await asyncio.to_thread(session.started.wait, 10)
    gone = asyncio.create_task(joined.run(indices(1), (), 0))
    stays = asyncio.create_task(joined.run(indices(2), (), FAR_NS + time.monotonic_ns()))
    await asyncio.sleep(0)
    gone.cancel()
    session.gate.set()
    await first
    assert (await stays)["y"].tolist() == [20]
    assert session.runs == [1, 1]


async def test_sheds_when_too_many_wait(lookup: bytes, batcher: Build, pool: Pool) -> None:
    session, joined = batcher(lookup)
    answers = await crowd(session, joined, [indices(1)] * (pool.queue + 1))
    shed = [answer for answer in answers if isinstance(answer, GatewayError)]
    assert [error.code for error in shed] == [ErrorCode.OVERLOADED]


async def test_closing_answers_everyone(lookup: bytes) -> None:
    pool, session = Pool(1, 50, 10.0), Counting(lookup)
    joined = Batcher(session, pool, costing(1), 1e12, session.told.append)
    session.gate.clear()
    tasks = [asyncio.create_task(joined.run(indices(i), (), 0)) for i in range(3)]
    await asyncio.to_thread(session.started.wait, 10)
    closing = asyncio.create_task(pool.close())
    await asyncio.sleep(0)  # from here on the pool takes nothing more
    session.gate.set()
    await closing
    answers = await asyncio.gather(*tasks, return_exceptions=True)
    assert isinstance(answers[0], dict)
    assert all(isinstance(a, GatewayError) and a.code is ErrorCode.NOT_READY for a in answers[1:])


async def test_a_batch_that_nobody_waits_for_is_ended(endless: bytes) -> None:
    pool = Pool(threads=1, queue=50, max_run_s=3600)
    session = Counting(endless)
    joined = Batcher(session, pool, costing(1000), 1e12, session.told.append)
    wedged = asyncio.create_task(joined.run({"x": np.full((1, 1), 2, np.float32)}, (), 0))
    await asyncio.to_thread(session.started.wait, 10)
    wedged.cancel()
    quick = joined.run({"x": np.zeros((1, 1), np.float32)}, (), 0)
    assert (await asyncio.wait_for(quick, 10))["y"].tolist() == [[0]]
    await pool.close()


async def test_a_deadline_is_kept_while_the_batch_runs_on_for_others(lookup: bytes, batcher: Build) -> None:
    session, joined = batcher(lookup)
    session.gate.clear()
    patient = asyncio.create_task(joined.run(indices(1), (), 0))
    await asyncio.to_thread(session.started.wait, 10)
    with pytest.raises(GatewayError) as caught:
        await joined.run(indices(2), (), time.monotonic_ns() + 5_000_000)
    assert caught.value.code is ErrorCode.DEADLINE
    session.gate.set()
    assert (await patient)["y"].tolist() == [10]


async def test_who_gives_up_in_the_queue_makes_room_for_others(
    lookup: bytes, batcher: Build, pool: Pool
) -> None:
    session, joined = batcher(lookup)
    session.gate.clear()
    first = asyncio.create_task(joined.run(indices(0), (), 0))
    await asyncio.to_thread(session.started.wait, 10)
    soon = time.monotonic_ns() + 5_000_000
    hasty = [asyncio.create_task(joined.run(indices(1), (), soon)) for _ in range(pool.queue - 1)]
    gone = asyncio.create_task(joined.run(indices(1), (), 0))
    await asyncio.sleep(0)
    gone.cancel()
    await asyncio.wait({*hasty, gone})
    waiting = [asyncio.create_task(joined.run(indices(2), (), 0)) for _ in range(pool.queue)]
    await asyncio.sleep(0)
    session.gate.set()
    await first
    assert [answer["y"].tolist() for answer in await asyncio.gather(*waiting)] == [[20]] * pool.queue
