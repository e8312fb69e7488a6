import threading
import time
from collections.abc import Iterator

import pytest

from gateway.runtime.watchdog import Watchdog

FAR_NS = 3_600 * 10**9


class Run:
    """A run whose end can be waited for."""

    def __init__(self) -> None:
        self.ended = threading.Event()

    @property
    def terminate(self) -> bool:
        return self.ended.is_set()

    @terminate.setter
    def terminate(self, value: bool) -> None:
        assert value
        self.ended.set()


@pytest.fixture
def watchdog() -> Iterator[Watchdog]:
    dog = Watchdog()
    yield dog
    dog.close()


def test_ends_what_is_due_and_nothing_else(watchdog: Watchdog) -> None:
    due, early = Run(), Run()
    now = time.monotonic_ns()
    watchdog.watch(early, now + FAR_NS)
    watchdog.watch(due, now + 1_000_000)
    assert due.ended.wait(10)
    assert not early.terminate


def test_a_nearer_end_is_seen_while_it_waits_for_a_farther_one(watchdog: Watchdog) -> None:
    watchdog.watch(Run(), time.monotonic_ns() + FAR_NS)
    for _ in range(3):
        near = Run()
        watchdog.watch(near, time.monotonic_ns() + 1_000_000)
        assert near.ended.wait(10)


def test_a_run_that_ended_by_itself_is_left_alone(watchdog: Watchdog) -> None:
    done, next_one = Run(), Run()
    at_ns = time.monotonic_ns() + 20_000_000
    watchdog.watch(done, at_ns)
    watchdog.forget(done)
    watchdog.watch(next_one, at_ns + 1)
    assert next_one.ended.wait(10)
    assert not done.terminate


def test_no_end_is_missed_while_others_come_due(watchdog: Watchdog) -> None:
    runs = [Run() for _ in range(2_000)]

    def watch(some: list[Run]) -> None:
        for run in some:
            watchdog.watch(run, time.monotonic_ns() + 10_000)

    threads = [threading.Thread(target=watch, args=(runs[at::4],)) for at in range(4)]
    for thread in threads:
        thread.start()
    assert all(run.ended.wait(10) for run in runs)
    for thread in threads:
        thread.join()
