"""What a person sees of the demo, on a terminal and in a log."""

import io

import pytest
from rich.console import Console

from lifecycle.demo.display import Display
from lifecycle.demo.facts import Facts, Second


def facts() -> Facts:
    return Facts(0.0, [Second(5.0, 100, 0, {1: 90, 2: 10}, {}, 50, 45)])


def test_a_log_gets_a_line_per_change() -> None:
    out = io.StringIO()
    display = Display(Console(file=out, width=120), facts())
    with display.shown(), display.step("Serve") as step:
        step.detail = "version 1"
    with pytest.raises(RuntimeError), display.step("Break"):
        raise RuntimeError
    lines = out.getvalue().splitlines()
    assert lines[0] == "… Serve"
    assert lines[1].startswith("✓ Serve (")
    assert lines[1].endswith("version 1")
    assert lines[3].startswith("✗ Break")


def test_a_terminal_shows_steps_and_live_traffic() -> None:
    out = io.StringIO()
    display = Display(Console(file=out, width=120, force_terminal=True), facts())
    with display.shown(), display.step("Serve"):
        pass
    shown = out.getvalue()
    assert "Serve" in shown
    assert "v1 90 %  v2 10 %" in shown
    assert "accuracy 90.0%" in shown
