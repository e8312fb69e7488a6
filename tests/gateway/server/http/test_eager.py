import asyncio

import pytest

from gateway.server.http.eager import run_eagerly


async def test_a_coroutine_that_does_not_suspend_makes_no_task() -> None:
    async def answer() -> int:
        return 7

    assert run_eagerly(answer()) == 7


async def test_an_error_before_the_first_suspension_is_raised_at_once() -> None:
    async def fail() -> None:
        raise LookupError("gone")

    with pytest.raises(LookupError):
        run_eagerly(fail())


async def test_one_that_suspends_goes_on_in_a_task_and_misses_nothing() -> None:
    first: asyncio.Future[int] = asyncio.get_running_loop().create_future()
    steps = []

    async def answer() -> int:
        steps.append("begun")
        steps.append(f"first {await first}")
        await asyncio.sleep(0)
        steps.append("slept")
        return 7

    task = run_eagerly(answer())
    assert isinstance(task, asyncio.Task)
    assert steps == ["begun"]
    first.set_result(1)
    assert await task == 7
    assert steps == ["begun", "first 1", "slept"]


async def test_an_error_of_what_is_awaited_reaches_the_coroutine() -> None:
    first: asyncio.Future[int] = asyncio.get_running_loop().create_future()

    async def answer() -> str:
        try:
            await first
        except ValueError as error:
            return str(error)
        return "nothing"

    task = run_eagerly(answer())
    assert isinstance(task, asyncio.Task)
    first.set_exception(ValueError("late"))
    assert await task == "late"


async def test_cancelling_reaches_the_coroutine() -> None:
    gate = asyncio.Event()
    ended = []

    async def wait() -> None:
        try:
            await gate.wait()
        finally:
            ended.append(True)

    task = run_eagerly(wait())
    assert isinstance(task, asyncio.Task)
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert ended == [True]


async def test_a_timeout_of_the_loop_holds_after_the_first_suspension() -> None:
    async def patient() -> str:
        await asyncio.sleep(0)
        try:
            async with asyncio.timeout(0):
                await asyncio.Event().wait()
        except TimeoutError:
            return "too late"
        return "on time"

    task = run_eagerly(patient())
    assert isinstance(task, asyncio.Task)
    assert await task == "too late"
