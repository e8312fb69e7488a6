"""What a person sees while the demo runs: its steps, and the traffic under them."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.spinner import Spinner
from rich.table import Table
from rich.text import Text

from lifecycle.demo.facts import Facts

MARKS = {"waiting": "·", "done": "✓", "failed": "✗"}
COLOURS = {"waiting": "dim", "done": "green", "failed": "red"}


@dataclass(slots=True)
class Step:
    title: str
    detail: str = ""
    state: str = "waiting"
    started: float = 0.0
    ended: float = 0.0


class Display:
    """A live table on a terminal; one line per change anywhere else."""

    def __init__(self, console: Console, facts: Facts) -> None:
        self._console = console
        self._facts = facts
        self._steps: list[Step] = []
        self._live = Live(get_renderable=self._draw, console=console, refresh_per_second=4, transient=False)

    @contextmanager
    def shown(self) -> Iterator[None]:
        if not self._console.is_terminal:
            yield
            return
        with self._live:
            yield

    @contextmanager
    def step(self, title: str) -> Iterator[Step]:
        """A step under way; set its `detail` to say more. An exception marks it as failed."""
        step = Step(title, state="running", started=time.monotonic())
        self._steps.append(step)
        self._say(f"… {title}")
        try:
            yield step
            step.state = "done"
        except BaseException:
            step.state = "failed"
            raise
        finally:
            step.ended = time.monotonic()
            took = step.ended - step.started
            detail = f": {step.detail}" if step.detail else ""
            self._say(f"{MARKS[step.state]} {title} ({took:.1f} s){detail}")

    def _say(self, line: str) -> None:
        if not self._console.is_terminal:
            self._console.print(line, highlight=False)

    def _draw(self) -> RenderableType:
        table = Table.grid(padding=(0, 1))
        table.add_column()
        table.add_column(overflow="fold")
        table.add_column(no_wrap=True)
        for step in self._steps:
            took = (step.ended or time.monotonic()) - step.started
            running = step.state == "running"
            mark = Spinner("dots") if running else Text(MARKS[step.state], style=COLOURS[step.state])
            seconds, detail = Text(f"{took:5.1f} s", style="dim"), Text(step.detail, style="dim")
            table.add_row(mark, step.title, seconds, detail)
        return Group(table, Text(), self._traffic())

    def _traffic(self) -> Text:
        if not self._facts.seconds:
            return Text()
        last = self._facts.seconds[-1]
        total = sum(last.served.values()) or 1
        served = sorted(last.served.items())
        shares = "  ".join(f"v{version} {100 * n / total:.0f} %" for version, n in served)
        accuracy = self._facts.accuracy(last.at - 3)
        line = f"{last.sent} requests/s   {shares}   accuracy {accuracy:.1%}   "
        line += f"{self._facts.sent:,} sent, {self._facts.failed} failed"
        return Text(line, style="bold" if not self._facts.failed else "bold red")
