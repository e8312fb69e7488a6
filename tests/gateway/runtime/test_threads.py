"""Owners that share threads: nobody's runs keep the others from theirs."""

import queue
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import CancelledError, Future
from functools import partial
from typing import TypeVar

import pytest

from gateway.runtime.threads import LONG_S, FairThreads

T = TypeVar("T")
Hold = Callable[[str], Future[bool]]
WITHIN_S = 20


@pytest.fixture
def threads() -> Iterator[FairThreads]:
    threads = FairThreads(count=2, room=3)
    yield threads
    threads.close()


@pytest.fixture
def gate() -> Iterator[threading.Event]:
    """Lets held runs end."""
    gate = threading.Event()
    yield gate
    gate.set()


@pytest.fixture
def hold(threads: FairThreads, gate: threading.Event) -> Hold:
    """A run of the owner's that does not end by itself; returns when it has begun, if it can."""

    def held(owner: str) -> Future[bool]:
        begun = threading.Event()
        future = submit(threads, owner, lambda: until(gate, begun))
        begun.wait(0.2)
        return future

    return held


def submit(threads: FairThreads, owner: str, run: Callable[[], T]) -> Future[T]:
    """What the run will give. It runs once it has begun; cancelled before, it is dropped."""
    future: Future[T] = Future()

    def begin() -> T:
        assert future.set_running_or_notify_cancel()
        return run()

    def done(answer: T, error: BaseException | None) -> None:
        if isinstance(error, CancelledError):
            future.cancel()
        elif error is not None:
            future.set_exception(error)
        else:
            future.set_result(answer)

    job = threads.submit(owner, begin, done)
    future.add_done_callback(lambda _: threads.drop(job))
    return future


def until(gate: threading.Event, begun: threading.Event) -> bool:
    begun.set()
    return gate.wait(WITHIN_S)


def relieved(threads: FairThreads, future: Future[str]) -> str:
    """What the future gives while long runs are asked to give way."""
    for _ in range(int(WITHIN_S / LONG_S)):
        threads.relieve()
        try:
            return future.result(LONG_S)
        except TimeoutError:
            continue
    raise AssertionError("it never ran")


def test_answers_and_errors_come_back(threads: FairThreads) -> None:
    answers = [submit(threads, "a", partial(pow, number, 2)).result(WITHIN_S) for number in range(20)]
    assert answers == [number**2 for number in range(20)]
    with pytest.raises(ZeroDivisionError):
        submit(threads, "a", lambda: 1 / 0).result(WITHIN_S)


def test_all_threads_are_used_at_once(threads: FairThreads) -> None:
    meeting = threading.Barrier(2)
    for _ in range(20):
        both = [submit(threads, "a", lambda: meeting.wait(WITHIN_S)) for _ in range(2)]
        assert {each.result(WITHIN_S) for each in both} == {0, 1}


def test_runs_that_take_long_give_way_to_another_owner(threads: FairThreads, hold: Hold) -> None:
    held = [hold("evil") for _ in range(4)]
    for _ in range(3):
        assert relieved(threads, submit(threads, "good", lambda: "done")) == "done"
    assert [each.running() for each in held] == [True, True, False, False]


def test_several_owners_that_never_end_keep_nobody(threads: FairThreads, hold: Hold) -> None:
    held = [hold(f"evil {number}") for number in range(6)]
    assert relieved(threads, submit(threads, "good", lambda: "done")) == "done"
    assert not any(each.done() for each in held)


def test_afterwards_there_are_no_more_threads_than_before(
    threads: FairThreads, hold: Hold, gate: threading.Event
) -> None:
    held = [hold("evil") for _ in range(3)]
    assert relieved(threads, submit(threads, "good", lambda: "done")) == "done"
    gate.set()
    assert all(each.result(WITHIN_S) for each in held)
    most, now, lock = 0, 0, threading.Lock()

    def count() -> None:
        nonlocal most, now
        with lock:
            now += 1
            most = max(most, now)
        threading.Event().wait(0.01)
        with lock:
            now -= 1

    runs = [submit(threads, owner, count) for owner in "abcdefgh" for _ in range(3)]
    for run in runs:
        run.result(WITHIN_S)
    assert most == 2


def test_each_owner_has_room_of_its_own(threads: FairThreads, hold: Hold) -> None:
    held = [hold("evil") for _ in range(5)]
    with pytest.raises(queue.Full):
        submit(threads, "evil", lambda: None)
    good = submit(threads, "good", lambda: "done")
    held[-1].cancel()
    hold("evil")
    assert relieved(threads, good) == "done"


def test_a_system_without_threads_to_spare_costs_no_room(
    monkeypatch: pytest.MonkeyPatch, gate: threading.Event
) -> None:
    threads, start, begun = FairThreads(2, 0), threading.Thread.start, threading.Event()

    def refuse(_: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    for _ in range(3):
        monkeypatch.setattr(threading.Thread, "start", refuse)
        with pytest.raises(RuntimeError):
            threads.submit("a", lambda: None, lambda *_: None)
    monkeypatch.setattr(threading.Thread, "start", start)
    first = submit(threads, "a", lambda: until(gate, begun))
    assert begun.wait(WITHIN_S)
    monkeypatch.setattr(threading.Thread, "start", refuse)
    second = submit(threads, "a", lambda: "done")  # by the one there is
    gate.set()
    assert first.result(WITHIN_S)
    assert second.result(WITHIN_S) == "done"
    threads.close()


def test_when_closed_runs_finish_and_what_waits_is_dropped(gate: threading.Event) -> None:
    threads = FairThreads(1, 1)
    begun = threading.Event()
    running = submit(threads, "a", lambda: until(gate, begun))
    assert begun.wait(WITHIN_S)
    waiting = submit(threads, "a", lambda: True)
    closing = threading.Thread(target=threads.close)
    closing.start()
    with pytest.raises(CancelledError):
        waiting.result(WITHIN_S)
    gate.set()
    closing.join(WITHIN_S)
    assert running.result(0)
    with pytest.raises(RuntimeError):
        submit(threads, "a", lambda: None)
