"""Tables and fields in consoles of every width."""

import pytest
from rich.console import Console, RenderableType

from lifecycle.terminal.tables import fields, table, worded

ROW = ("1", "2026-11-26 03:16:03", "version.rejected", "the artifact is refused: it does not load")
COLUMNS = ("record", "time (UTC)", "kind", "detail")


def drawn(what: RenderableType, width: int) -> list[str]:
    screen = Console(width=width, markup=False)
    with screen.capture() as capture:
        screen.print(what)
    return capture.get().splitlines()


def test_an_empty_table_is_a_sentence() -> None:
    assert table(["a"], [], empty="nothing here") == "nothing here"


def test_cells_are_words_and_nothing_is_a_dash() -> None:
    assert [str(worded(cell)) for cell in (None, "", 0, "PASS")] == ["–", "–", "0", "PASS"]


def test_a_wide_console_has_a_line_for_each_row_and_no_blanks_at_its_end() -> None:
    lines = drawn(table(COLUMNS, [ROW, ("2", "", "x", "y")], empty="", sentences=1), 200)
    assert len(lines) == 3
    assert lines[0].split("  ")[0] == "record"
    assert all(line == line.rstrip() for line in lines)


def test_sentences_go_under_their_row_where_a_line_is_too_short() -> None:
    lines = drawn(table(COLUMNS, [ROW], empty="", sentences=1), 60)
    assert lines[0].split() == ["1", "2026-11-26", "03:16:03", "version.rejected"]
    assert lines[1] == "  the artifact is refused: it does not load"


@pytest.mark.parametrize("width", [18, 30, 60])
def test_nothing_is_cut_off(width: int) -> None:
    digest = "sha256:cac32e79d02df1992ff9197ccaa2f73f0306ea71"
    narrow = [
        *drawn(table(COLUMNS, [ROW], empty="", sentences=1), width),
        *drawn(fields([("digest", digest)]), width),
    ]
    assert "…" not in "".join(narrow)
    assert all(len(line) <= width for line in narrow)
    assert digest[-9:] in "".join(narrow).replace(" ", "")
