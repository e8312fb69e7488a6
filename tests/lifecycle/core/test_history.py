"""A point per second, for an hour."""

import gc
from dataclasses import replace

import numpy as np
import pytest

from gateway.core.summary import Window, latency_histogram
from gateway.core.types import Outcome, Role
from lifecycle.core.history import KEPT_S, LATE_S, History


def window(at: float, version: int = 1, role: Role = Role.CHAMPION, ok: int = 9, wrong: int = 1) -> Window:
    return replace(
        Window.empty("m", version, role, 1),
        start=at - 1,
        end=at,
        outcomes={Outcome.OK: ok, Outcome.SERVER_ERROR: wrong, Outcome.CLIENT_ERROR: 5},
        latency=latency_histogram(np.full(ok, 2_000_000)),
    )


def test_workers_and_versions_of_one_second_make_one_point() -> None:
    history = History()
    for part in (window(100.1), window(100.9), window(100.5, 2, Role.CANARY, ok=4)):
        history.add(part)
    (point,) = history.points()
    assert (point.at, point.requests, point.errors) == (100, {1: 20, 2: 5}, {1: 2, 2: 1})
    assert point.share == {1: 0.8, 2: 0.2}
    assert point.p50_ms == pytest.approx(2, rel=0.05)


def test_shadows_and_empty_windows_are_not_drawn() -> None:
    history = History()
    history.add(window(100, role=Role.SHADOW))
    history.add(Window.empty("m", 1, Role.CHAMPION, 1))
    assert history.points() == []


def test_an_hour_is_kept_and_what_comes_too_late_is_left_out() -> None:
    history = History()
    for second in range(KEPT_S + 100):
        history.add(window(float(second)))
    history.add(window(0.0, version=7))
    points = history.points()
    assert [point.at for point in points[-2:]] == [KEPT_S + 98, KEPT_S + 99]
    assert KEPT_S <= len(points) <= KEPT_S + LATE_S
    assert all(7 not in point.requests for point in points)


def test_a_second_without_answers_has_no_latency() -> None:
    history = History()
    history.add(window(5.0, ok=0, wrong=0))
    (point,) = history.points()
    assert point.as_json()["p50_ms"] is None
    assert point.share == {}


def test_less_is_kept_where_less_is_asked_for() -> None:
    history = History()
    history.kept = 5
    for second in range(100):
        history.add(window(float(second)))
    assert [point.at for point in history.points()][-1] == 99
    assert len(history.points()) == 5 + LATE_S


def test_what_is_over_is_nothing_that_could_be_part_of_a_cycle() -> None:
    history = History()
    for second in range(200):
        history.add(window(float(second), version=1 + second % 3))
    for _ in range(3):  # what is inside first
        gc.collect()
    assert not [closed for closed in history._closed if gc.is_tracked(closed)]
