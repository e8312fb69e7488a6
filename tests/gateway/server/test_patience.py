import asyncio
import os
import threading
import time
from collections.abc import Iterator
from types import SimpleNamespace

import pytest

from gateway.server.patience import Patience

pytestmark = pytest.mark.skipif(not hasattr(os, "SCHED_BATCH"), reason="this system has no SCHED_BATCH")


class _Clock:
    now = 100.0
    used = 0.0
    """By the thread that is looked at."""

    def monotonic(self) -> float:
        return self.now

    def used_s(self) -> float:
        return self.used


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> _Clock:
    clock = _Clock()
    monkeypatch.setattr("gateway.server.patience.time", SimpleNamespace(monotonic=clock.monotonic))
    return clock


@pytest.fixture
def thread() -> Iterator[int]:
    """Of a thread that waits."""
    over, known, ids = threading.Event(), threading.Event(), list[int]()

    def waits() -> None:
        ids.append(threading.get_native_id())
        known.set()
        over.wait()

    waiting = threading.Thread(target=waits)
    waiting.start()
    known.wait()
    yield ids[0]
    over.set()
    waiting.join()


def look(patience: Patience, clock: _Clock, *used_s: float) -> None:
    for used in used_s:
        clock.now += 1
        clock.used = used
        patience.look()


def test_a_busy_thread_lets_others_finish_until_it_is_quiet_again(clock: _Clock, thread: int) -> None:
    patience = Patience(0.3, clock.used_s, thread)
    look(patience, clock, 50.0, 50.2)
    assert os.sched_getscheduler(thread) == os.SCHED_OTHER
    look(patience, clock, 50.6)
    assert os.sched_getscheduler(thread) == os.SCHED_BATCH
    look(patience, clock, 50.8)
    assert os.sched_getscheduler(thread) == os.SCHED_OTHER


def test_what_a_thread_took_before_the_first_look_says_nothing(clock: _Clock, thread: int) -> None:
    look(Patience(0.3, clock.used_s, thread), clock, 1000.0)
    assert os.sched_getscheduler(thread) == os.SCHED_OTHER


def test_a_policy_that_somebody_chose_stays(clock: _Clock, thread: int) -> None:
    os.sched_setscheduler(thread, os.SCHED_IDLE, os.sched_param(0))
    look(Patience(0.3, clock.used_s, thread), clock, 1.0, 2.0)
    assert os.sched_getscheduler(thread) == os.SCHED_IDLE


def test_a_thread_that_has_ended_is_no_fault(clock: _Clock) -> None:
    ended = threading.Thread(target=lambda: None)
    ended.start()
    ended.join()
    assert ended.native_id is not None
    look(Patience(0.3, clock.used_s, ended.native_id), clock, 1.0, 2.0)


async def test_it_looks_by_itself_until_it_is_stopped(thread: int) -> None:
    """A thread that says it takes a whole processor, by a clock that runs."""
    patience = Patience(0.3, time.monotonic, thread)
    patience.start()
    async with asyncio.timeout(10):
        await asyncio.to_thread(_until, thread, os.SCHED_BATCH)
    patience.stop()
    assert os.sched_getscheduler(thread) == os.SCHED_OTHER
    await asyncio.sleep(1.2)
    assert os.sched_getscheduler(thread) == os.SCHED_OTHER


def _until(thread: int, policy: int) -> None:
    while os.sched_getscheduler(thread) != policy:
        time.sleep(0.01)
