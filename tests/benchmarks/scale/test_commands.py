"""Ticks are read from the controller's own histogram."""

from benchmarks.scale.commands import Ticks, ticks_of, timed

EXPOSED = """# TYPE headrace_controller_tick_seconds histogram
headrace_controller_tick_seconds_bucket{le="0.01"} 90.0
headrace_controller_tick_seconds_bucket{le="0.1"} 99.0
headrace_controller_tick_seconds_bucket{le="+Inf"} 100.0
headrace_controller_tick_seconds_count 100.0
"""


def test_ticks_are_those_of_the_phase() -> None:
    before = Ticks({0.01: 90.0, 0.1: 90.0, float("inf"): 90.0})
    seen = ticks_of(EXPOSED).since(before)
    assert seen.counts == {0.01: 0.0, 0.1: 9.0, float("inf"): 10.0}
    assert (seen.quantile(0.5), seen.quantile(0.9), seen.quantile(0.99)) == (0.1, 0.1, float("inf"))


def test_without_ticks_there_is_no_length() -> None:
    assert Ticks().quantile(0.5) == 0.0


def test_a_command_is_timed_once_per_model() -> None:
    asked: list[str] = []
    took = timed("look", asked.append, ["a", "b"])
    assert (took.command, len(took.seconds), asked) == ("look", 2, ["a", "b"])
