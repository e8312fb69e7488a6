"""Values under headings or beside their names. A narrow terminal wraps them and cuts nothing off."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from rich.console import Console, ConsoleOptions, ConsoleRenderable, RenderableType, RenderResult
from rich.padding import Padding
from rich.segment import Segment
from rich.table import Table
from rich.text import Text

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
NOTHING = "–"
GAP = 2
UNBOUNDED = 1_000_000


def table(
    columns: Sequence[str], rows: Iterable[Sequence[object]], *, empty: str, sentences: int = 0
) -> RenderableType:
    """Rows under headings, or what is said where there are none.

    Args:
        sentences: how many of the last columns are prose, which goes under its row where a line is too short.
    """
    cells = [tuple(map(worded, row)) for row in rows]
    return Trimmed(_Rows(columns, cells, sentences)) if cells else empty


def fields(pairs: Iterable[tuple[str, object]]) -> RenderableType:
    """Names and values, one pair a line."""
    grid = Table.grid(padding=(0, 2, 0, 0))
    grid.add_column(style="dim", no_wrap=True)
    grid.add_column(overflow="fold")
    for name, value in pairs:
        grid.add_row(name, worded(value))
    return Trimmed(grid)


def worded(cell: object) -> ConsoleRenderable:
    """A value as text; stages and verdicts in their colour."""
    if isinstance(cell, ConsoleRenderable):
        return cell
    text = NOTHING if cell is None or cell == "" else str(cell)
    return Text(text, style=STYLES.get(text, ""))


@dataclass(frozen=True, slots=True)
class Trimmed:
    """Without the blanks that fill lines up: they cost a pipe, and whoever copies."""

    inner: RenderableType

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        for line in console.render_lines(self.inner, options, pad=False):
            while line and not line[-1].text.strip():
                line.pop()
            if line:
                line[-1] = Segment(line[-1].text.rstrip(), line[-1].style)
            yield from (*line, Segment.line())


@dataclass(frozen=True, slots=True)
class _Rows:
    columns: Sequence[str]
    rows: list[tuple[ConsoleRenderable, ...]]
    sentences: int

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        lines = [tuple(map(Text, self.columns)), *self.rows]
        widths = [max(_width(console, cell) for cell in column) for column in zip(*lines, strict=True)]
        if not self.sentences or _fit(widths, options):
            yield self._grid(self.rows, show_header=True)
            return
        short = len(self.columns) - self.sentences
        aligned = widths if _fit(widths[:short], options) else [0] * short
        for row in self.rows:
            yield self._grid([row[:short]], aligned)
            for sentence in row[short:]:
                if str(sentence) != NOTHING:
                    yield Padding(sentence, (0, 0, 0, GAP), style="dim")

    def _grid(
        self,
        rows: list[tuple[ConsoleRenderable, ...]],
        widths: Sequence[int] = (),
        *,
        show_header: bool = False,
    ) -> Table:
        grid = Table(box=None, header_style="bold", padding=(0, GAP, 0, 0), show_header=show_header)
        for number in range(len(rows[0])):
            least = widths[number] if widths else None
            grid.add_column(self.columns[number], overflow="fold", min_width=least)
        for row in rows:
            grid.add_row(*row)
        return grid


def _fit(widths: Sequence[int], options: ConsoleOptions) -> bool:
    return sum(widths) + GAP * (len(widths) - 1) <= options.max_width


def _width(console: Console, cell: RenderableType) -> int:
    return console.measure(cell, options=console.options.update(max_width=UNBOUNDED)).maximum
