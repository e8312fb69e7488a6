import asyncio
import threading
import time
from collections.abc import AsyncIterator, Callable
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from onnxruntime import RunOptions

from gateway.errors import ErrorCode, GatewayError
from gateway.runtime.pool import Pool
from gateway.runtime.session import Session

SessionOf = Callable[[bytes], Session]


@pytest.fixture
async def pool() -> AsyncIterator[Pool]:
    pool = Pool(threads=1, queue=2, max_run_s=0.05)
    yield pool
    await pool.close()


def quick(_: RunOptions) -> str:
    return "done"


async def test_answers_from_a_thread(pool: Pool) -> None:
    assert await pool.submit(lambda _: threading.current_thread().name, 0) != threading.current_thread().name


async def test_sheds_what_has_no_room_to_wait_and_recovers(pool: Pool) -> None:
    gate = threading.Event()
    held = [pool.submit(lambda _: gate.wait(10), 0) for _ in range(3)]
    with pytest.raises(GatewayError) as caught:
        pool.submit(quick, 0)
    assert caught.value.code is ErrorCode.OVERLOADED
    gate.set()
    assert await asyncio.gather(*held) == [True] * 3
    assert await pool.submit(quick, 0) == "done"


async def test_a_caller_who_leaves_gives_the_room_back(pool: Pool) -> None:
    gate = threading.Event()
    running = pool.submit(lambda _: gate.wait(10), 0)
    waiting = [pool.submit(quick, 0) for _ in range(2)]
    for future in waiting:
        future.cancel()
    await asyncio.gather(*waiting, return_exceptions=True)
    again = [pool.submit(quick, 0) for _ in range(2)]
    gate.set()
    assert await running
    assert await asyncio.gather(*again) == ["done"] * 2


async def test_what_is_past_its_deadline_does_not_run(pool: Pool) -> None:
    ran = []
    with pytest.raises(GatewayError) as caught:
        await pool.submit(lambda _: ran.append(1), time.monotonic_ns() - 1)
    assert caught.value.code is ErrorCode.DEADLINE
    assert not ran


async def test_a_wedged_run_is_ended_and_the_thread_lives_on(
    pool: Pool, endless: bytes, session_of: SessionOf
) -> None:
    session = session_of(endless)
    wedge = {"x": np.full((1, 1), 2, np.float32)}
    with pytest.raises(GatewayError, match=r"ran for 0\.05 s and was ended") as caught:
        await pool.submit(lambda options: session.run(wedge, (), options), 0)
    assert caught.value.code is ErrorCode.DEADLINE
    assert await pool.submit(quick, 0) == "done"


async def test_a_run_ends_when_its_caller_leaves(endless: bytes, session_of: SessionOf) -> None:
    session, started = session_of(endless), threading.Event()
    pool = Pool(threads=1, queue=1, max_run_s=600)

    def job(options: RunOptions) -> object:
        started.set()
        return session.run({"x": np.full((1, 1), 2, np.float32)}, (), options)

    run = pool.submit(job, 0)
    await asyncio.to_thread(started.wait, 10)
    run.cancel()
    assert await pool.submit(quick, 0) == "done"
    await pool.close()


async def test_a_run_ends_at_its_callers_deadline(endless: bytes, session_of: SessionOf) -> None:
    pool, session = Pool(1, 1, max_run_s=3600), session_of(endless)
    wedge = {"x": np.full((1, 1), 2, np.float32)}
    with pytest.raises(GatewayError, match="deadline passed") as caught:
        await pool.submit(lambda options: session.run(wedge, (), options), time.monotonic_ns() + 20_000_000)
    assert caught.value.code is ErrorCode.DEADLINE
    await pool.close()


async def test_an_error_of_the_model_stays_what_it_is(
    pool: Pool, lookup: bytes, session_of: SessionOf
) -> None:
    session = session_of(lookup)
    with pytest.raises(GatewayError) as caught:
        await pool.submit(lambda options: session.run({"i": np.array([9])}, (), options), 0)
    assert caught.value.code is ErrorCode.INTERNAL


async def test_a_closed_pool_says_try_again() -> None:
    pool = Pool(1, 1, 1.0)
    await pool.close()
    with pytest.raises(GatewayError) as caught:
        pool.submit(quick, 0)
    assert caught.value.code is ErrorCode.NOT_READY


async def test_a_pool_that_closes_takes_nothing_from_then_on_and_finishes_what_runs() -> None:
    pool, started, gate = Pool(1, 1, 60.0), threading.Event(), threading.Event()

    def held(_: RunOptions) -> bool:
        started.set()
        return gate.wait(10)

    running = pool.submit(held, 0)
    await asyncio.to_thread(started.wait, 10)
    # Every thread that could help with closing is busy, as on a machine with too much to do.
    asyncio.get_running_loop().set_default_executor(executor := ThreadPoolExecutor(1))
    executor.submit(gate.wait, 10)
    closing = asyncio.create_task(pool.close())
    await asyncio.sleep(0)
    with pytest.raises(GatewayError) as caught:
        pool.submit(quick, 0)
    assert caught.value.code is ErrorCode.NOT_READY
    gate.set()
    await closing
    assert await running


async def test_a_caller_who_leaves_frees_the_thread(endless: bytes, session_of: SessionOf) -> None:
    pool, session, started = Pool(1, 1, max_run_s=3600), session_of(endless), threading.Event()

    def run_for_ever(options: RunOptions) -> object:
        started.set()
        return session.run({"x": np.full((1, 1), 2, np.float32)}, (), options)

    running = pool.submit(run_for_ever, 0)
    await asyncio.to_thread(started.wait, 10)
    running.cancel()
    assert await asyncio.wait_for(pool.submit(quick, 0), 10) == "done"
    assert pool.wedged == 0
    await pool.close()


async def test_wedged_runs_are_counted(pool: Pool, endless: bytes, session_of: SessionOf) -> None:
    session = session_of(endless)
    with pytest.raises(GatewayError):
        await pool.submit(lambda o: session.run({"x": np.full((1, 1), 2, np.float32)}, (), o), 0)
    assert pool.wedged == 1


async def test_a_wedged_owner_keeps_no_other_from_the_threads(endless: bytes, session_of: SessionOf) -> None:
    pool, session = Pool(1, 1, max_run_s=3600), session_of(endless)
    wedge = {"x": np.full((1, 1), 2, np.float32)}
    wedged = [pool.submit(lambda options: session.run(wedge, (), options), 0, "evil") for _ in range(2)]
    assert await asyncio.wait_for(pool.submit(quick, 0, "good"), 10) == "done"
    for run in wedged:
        run.cancel()
    await pool.close()
