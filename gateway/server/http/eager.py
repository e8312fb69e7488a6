"""Runs a coroutine at once and makes a Task only if it suspends.

A task costs 10 µs with its two turns of the loop; an inline inference never suspends. Until its first
suspension the coroutine runs outside any task, so it must not enter `asyncio.timeout` before that.
"""

import asyncio
import types
from collections.abc import Coroutine, Generator
from typing import Any, TypeVar

T = TypeVar("T")


def run_eagerly(coroutine: Coroutine[Any, Any, T]) -> "T | asyncio.Task[T]":
    """The result if the coroutine ends without suspending, else the task that continues it.

    Raises what the coroutine raises before it suspends.
    """
    try:
        awaited = coroutine.send(None)
    except StopIteration as stop:
        result: T = stop.value
        return result
    return asyncio.get_running_loop().create_task(_continue(coroutine, awaited))


async def _continue(coroutine: Coroutine[Any, Any, T], awaited: Any) -> T:
    return await _resume(coroutine, awaited)


@types.coroutine
def _resume(coroutine: Coroutine[Any, Any, T], awaited: Any) -> Generator[Any, Any, T]:
    # What was awaited first is handed to the task untouched, which then waits for it as for its own.
    while True:
        try:
            sent = yield awaited
        except GeneratorExit:
            coroutine.close()
            raise
        except BaseException as error:
            raised: BaseException | None = error
        else:
            raised = None
        try:
            awaited = coroutine.send(sent) if raised is None else coroutine.throw(raised)
        except StopIteration as stop:
            result: T = stop.value
            return result
