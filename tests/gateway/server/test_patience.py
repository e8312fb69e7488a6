import os
import threading
from collections.abc import Iterator
from types import SimpleNamespace

import pytest

from gateway.server.patience import Patience

pytestmark = pytest.mark.skipif(not hasattr(os, "SCHED_BATCH"), reason="this system has no SCHED_BATCH")


class _Clock:
    now = 100.0

    def monotonic(self) -> float:
        return self.now


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
        patience.look(used)


def test_a_busy_thread_lets_others_finish_until_it_is_quiet_again(clock: _Clock, thread: int) -> None:
    patience = Patience(0.3, thread)
    look(patience, clock, 50.0, 50.2)
    assert os.sched_getscheduler(thread) == os.SCHED_OTHER
    look(patience, clock, 50.6)
    assert os.sched_getscheduler(thread) == os.SCHED_BATCH
    look(patience, clock, 50.85)  # less, but not quiet
    assert os.sched_getscheduler(thread) == os.SCHED_BATCH
    look(patience, clock, 50.9)
    assert os.sched_getscheduler(thread) == os.SCHED_OTHER


def test_what_a_thread_took_before_the_first_look_says_nothing(clock: _Clock, thread: int) -> None:
    look(Patience(0.3, thread), clock, 1000.0)
    assert os.sched_getscheduler(thread) == os.SCHED_OTHER


def test_a_policy_that_somebody_chose_stays(clock: _Clock, thread: int) -> None:
    os.sched_setscheduler(thread, os.SCHED_IDLE, os.sched_param(0))
    look(Patience(0.3, thread), clock, 1.0, 2.0)
    assert os.sched_getscheduler(thread) == os.SCHED_IDLE


def test_a_thread_that_has_ended_is_no_fault(clock: _Clock) -> None:
    ended = threading.Thread(target=lambda: None)
    ended.start()
    ended.join()
    assert ended.native_id is not None
    look(Patience(0.3, ended.native_id), clock, 1.0, 2.0)
