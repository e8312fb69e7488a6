"""Values as people read them."""

import pytest

from lifecycle.terminal.screen import Steps, console, shares, show, when
from lifecycle.terminal.tables import table


def test_values_in_words() -> None:
    assert shares({"1": 90.0, "2": 10.0}) == "1=90 2=10"
    assert when(0.0) == ""
    assert when(60.0) == "1970-01-01 00:01:00"


def test_markup_in_data_is_text(capsys: pytest.CaptureFixture[str]) -> None:
    show("[red]model[/red]")
    assert capsys.readouterr().out == "[red]model[/red]\n"


@pytest.mark.parametrize(("columns", "lines"), [("60", 3), ("", 2), ("wide", 2)])
def test_a_table_in_a_pipe_wraps_only_where_columns_says_how_wide_it_is(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, columns: str, lines: int
) -> None:
    monkeypatch.setenv("COLUMNS", columns)
    gate = ("robustness", "PASS", "4 odd rows harm nothing", "probes 4, refused 0, slowest 0.2 ms")
    console().print(table(("gate", "verdict", "reason", "numbers"), [gate], empty="", sentences=2))
    shown = capsys.readouterr().out.splitlines()
    assert max(map(len, shown)) <= int(columns if columns.isdecimal() else 120)
    assert len(shown) == lines


def test_data_moves_no_cursor(capsys: pytest.CaptureFixture[str]) -> None:
    evil = "\x1b]0;title\x07\x1b[2J\x9b31m\u202eback\r"
    show(f"{evil}\nnext")
    console().print(table(["owner"], [[evil]], empty=""))
    shown = capsys.readouterr().out
    assert r"\x1b]0;title" in shown
    assert all(line.isprintable() for line in shown.split("\n"))
    assert "\nnext\n" in shown


def test_steps_are_lines_in_a_pipe_and_nothing_when_quiet(capsys: pytest.CaptureFixture[str]) -> None:
    for quiet in (False, True):
        steps = Steps(quiet)
        with steps.step("working", "done"):
            steps.note("half way")
    assert capsys.readouterr().out == "  half way\n✓ done\n"
