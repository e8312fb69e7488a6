"""Cycles are collected when a sweep says so, and by Python itself before and after."""

import gc
import weakref
from collections.abc import Iterator

import pytest

from gateway.runtime.cycles import WHOLE_EVERY, CycleCollector


class Knot:
    def __init__(self) -> None:
        self.self = self


@pytest.fixture
def cycles() -> Iterator[CycleCollector]:
    made = CycleCollector()
    yield made
    made.stop()


def test_nothing_is_looked_for_among_requests(cycles: CycleCollector) -> None:
    knot = weakref.ref(Knot())
    for _ in range(5_000):
        Knot()
    assert knot() is not None
    cycles.sweep()
    assert knot() is None


def test_what_grew_old_goes_with_a_look_at_everything(cycles: CycleCollector) -> None:
    held = Knot()
    knot = weakref.ref(held)
    for _ in range(3):
        cycles.sweep()
    del held
    for _ in range(WHOLE_EVERY):
        cycles.sweep()
    assert knot() is None


def test_python_takes_over_again() -> None:
    cycles = CycleCollector()
    assert not gc.isenabled()
    cycles.stop()
    assert gc.isenabled()
    assert gc.get_freeze_count() == 0
