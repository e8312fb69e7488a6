"""Where people see it: a terminal with progress, or plain lines or JSON elsewhere. And values in words.

Colour and movement only on a terminal. With `--json` standard output holds one JSON value and no more.
"""

import json
import os
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

from rich.console import Console, ConsoleOptions, RenderableType
from rich.segment import Segment
from rich.text import Text

PIPE_WIDTH = 100_000


class _Screen(Console):
    """Data moves no cursor and sets no colour, whoever wrote it: a description, a tensor's name, a reason."""

    def render(self, renderable: RenderableType, options: ConsoleOptions | None = None) -> Iterable[Segment]:
        for segment in super().render(renderable, options):
            harms = not segment.control and not segment.text.isprintable()
            yield segment._replace(text=harmless(segment.text, "\n")) if harms else segment


def console() -> Console:
    """Standard output as it is now; in a pipe nothing wraps, unless COLUMNS (set by `watch`) says where."""
    told = sys.stdout.isatty() or os.environ.get("COLUMNS", "").isdecimal()
    return _Screen(width=None if told else PIPE_WIDTH, highlight=False, markup=False)


def harmless(text: str, but: str = "") -> str:
    """Without what moves a terminal's cursor or ends a line, `but` for some of that."""
    return "".join(c if c.isprintable() or c in but else c.encode("unicode_escape").decode() for c in text)


def show_json(value: Any) -> None:
    print(json.dumps(value, indent=2))


def show(line: str) -> None:
    console().print(line, soft_wrap=True)


def when(seconds: float | None) -> str:
    """Unix seconds as UTC time."""
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%d %H:%M:%S") if seconds else ""


def shares(weights: dict[str, float]) -> str:
    """Weights as they are typed: `1=90 2=10`."""
    return " ".join(f"{version}={percent:g}" for version, percent in weights.items())


class Steps:
    """Tells of long work: a spinner on a terminal, a line per step elsewhere, what it awaits when quiet."""

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

    def waits(self, line: str) -> None:
        """What is waited for, maybe for long: on standard error where quiet, as silence looks broken."""
        if self._screen is None:
            print(harmless(line), file=sys.stderr)
        else:
            self.note(line)
