"""What people see: tables and progress on a terminal, plain lines or JSON elsewhere.

Colour and movement only on a terminal. With `--json` standard output holds one JSON value and no more.
"""

import json
import sys
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

PIPE_WIDTH = 200

STYLES = {
    "PASS": "green",
    "FAIL": "bold red",
    "ERROR": "red",
    "INCONCLUSIVE": "yellow",
    "serving": "green",
    "approved": "cyan",
    "validated": "cyan",
    "rejected": "red",
    "retired": "dim",
}


def console() -> Console:
    """Standard output as it is now; wide enough that nothing wraps in a pipe."""
    return Console(width=None if sys.stdout.isatty() else PIPE_WIDTH, highlight=False, markup=False)


def show_json(value: Any) -> None:
    print(json.dumps(value, indent=2))


def show(line: str) -> None:
    console().print(line, soft_wrap=True)


def table(columns: Sequence[str], rows: Iterable[Sequence[object]], *, empty: str) -> Table | str:
    """Rows under headings, or the sentence for when there are none."""
    grid = Table(*columns, box=None, header_style="bold", pad_edge=False, padding=(0, 2, 0, 0))
    for row in rows:
        grid.add_row(*(worded(cell) for cell in row))
    return grid if grid.row_count else empty


def fields(pairs: Iterable[tuple[str, object]]) -> Table:
    """Names and values, one pair a line."""
    grid = Table.grid(padding=(0, 2, 0, 0))
    grid.add_column(style="dim", no_wrap=True)
    grid.add_column()
    for name, value in pairs:
        grid.add_row(name, worded(value))
    return grid


def worded(cell: object) -> Text:
    """A value as text; stages and verdicts in their colour."""
    text = "–" if cell is None or cell == "" else str(cell)
    return Text(text, style=STYLES.get(text, ""))


def when(seconds: float | None) -> str:
    """Unix seconds as UTC time."""
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%d %H:%M:%S") if seconds else ""


def duration(seconds: float) -> str:
    whole = int(seconds)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60} s"
    return f"{whole // 3600} h {whole % 3600 // 60} min"


def shares(weights: dict[str, float]) -> str:
    """Weights as they are typed: `1=90 2=10`."""
    return " ".join(f"{version}={percent:g}" for version, percent in weights.items())


class Steps:
    """Tells of long work: a spinner on a terminal, a line per step elsewhere, nothing when quiet."""

    def __init__(self, quiet: bool) -> None:
        self._screen = None if quiet else console()

    @contextmanager
    def step(self, doing: str, done: str = "") -> Iterator[None]:
        """Show `doing` while the block runs, and `done` once it ended well."""
        if self._screen is not None and self._screen.is_terminal:
            with self._screen.status(f"{doing}…"):
                yield
        else:
            yield
        if done:
            self.say(done)

    def say(self, line: str) -> None:
        """Something is done."""
        if self._screen is not None:
            self._screen.print(Text("✓ ", style="green"), line, sep="", soft_wrap=True)

    def note(self, line: str) -> None:
        """Something happens within a step."""
        if self._screen is not None:
            self._screen.print(f"  {line}", soft_wrap=True)
