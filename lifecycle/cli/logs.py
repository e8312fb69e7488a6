"""`headrace logs`: what the processes of a home wrote, in order of time."""

import itertools
import json
import os
import time
from collections.abc import Iterator
from datetime import datetime
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer

from lifecycle.cli import daemon
from lifecycle.cli.options import HOME, AsJson
from lifecycle.client import DEFAULT_URL
from lifecycle.core.moments import read_since
from lifecycle.errors import LifecycleCode, LifecycleError
from lifecycle.terminal.screen import harmless

POLL_S = 0.3
_LINES = 50
_SHOWN_FIRST = ("time", "level", "process", "logger", "message")

Line = dict[str, Any]


class Level(StrEnum):
    DEBUG = "debug"
    INFO = "info"
    WARNING = "warning"
    ERROR = "error"
    CRITICAL = "critical"


_ORDER = list(Level)


def add_to(parent: typer.Typer) -> None:
    parent.command(rich_help_panel="Care")(logs)


def logs(
    home: Annotated[
        Path | None,
        typer.Option(
            envvar="HEADRACE_HOME",
            file_okay=False,
            help="Whose logs.",
            show_default="of the node here that HEADRACE_URL names, else ~/.headrace",
        ),
    ] = None,
    model: Annotated[str, typer.Option(metavar="NAME", help="Only lines about this model.")] = "",
    level: Annotated[Level, typer.Option(help="This level and graver ones.")] = Level.INFO,
    since: Annotated[
        str, typer.Option(metavar="TIME", help="All lines since then, e.g. 1h or ISO 8601.")
    ] = "",
    lines: Annotated[
        int | None,
        typer.Option(
            "--lines", "-n", min=0, help="How many, the newest ones.", show_default="50, with --since all"
        ),
    ] = None,
    follow: Annotated[bool, typer.Option("--follow", "-f", help="Go on with what comes.")] = False,
    as_json: AsJson = False,
) -> None:
    """Show what workers, dedicated versions and the controller logged, slow and failed requests among it.

    It reads this machine's files and needs no running cluster. With `--json` a line is one JSON object.

    Example: `headrace logs --follow --level warning --model fraud --since 15m`
    """
    home = home or daemon.home_at(os.environ.get("HEADRACE_URL", DEFAULT_URL)) or HOME
    files = Files(home.expanduser() / "logs")
    if not files.paths():
        raise LifecycleError(
            LifecycleCode.NOT_FOUND,
            f"no log under {home}: `headrace up` writes one; --home names another home, HEADRACE_URL a node "
            "that runs here",
        )
    begin = read_since(since, time.time()) if since else 0.0
    found = itertools.chain(files.older(begin), files.new()) if since else files.new()
    wanted = sorted((line for line in found if _wanted(line, model, level, begin)), key=_time)
    most = lines if lines is not None else len(wanted) if since else _LINES
    for line in wanted[max(len(wanted) - most, 0) :]:
        _show(line, as_json)
    while follow:
        time.sleep(POLL_S)
        for line in sorted(files.new(), key=_time):
            if _wanted(line, model, level, begin):
                _show(line, as_json)


class Files:
    """The log files of a folder, read on from where the last reading ended."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._read_to: dict[Path, tuple[int, int]] = {}  # inode and place

    def paths(self) -> list[Path]:
        """The present files, without the older ones they took the place of."""
        return sorted(self._folder.glob("*.jsonl"))

    def older(self, since: float) -> Iterator[Line]:
        """Lines of files that the present ones took the place of, if these were written to after `since`."""
        for path in sorted(self._folder.glob("*.jsonl.*")):
            if path.stat().st_mtime >= since:
                with path.open("rb") as file:
                    yield from filter(None, map(_parsed, file))

    def new(self) -> Iterator[Line]:
        """Whole lines since the last call."""
        for path in self.paths():
            with path.open("rb") as file:
                inode = path.stat().st_ino
                known, place = self._read_to.get(path, (inode, 0))
                file.seek(place if known == inode else 0)
                for raw in file:
                    if not raw.endswith(b"\n"):
                        file.seek(-len(raw), 1)
                        break
                    if (line := _parsed(raw)) is not None:
                        yield line
                self._read_to[path] = (inode, file.tell())


def _parsed(raw: bytes) -> Line | None:
    try:
        line = json.loads(raw)
    except ValueError:
        return None
    return line if isinstance(line, dict) and "time" in line else None


def _time(line: Line) -> str:
    return str(line["time"])


def _wanted(line: Line, model: str, level: Level, since: float) -> bool:
    said = line.get("level")
    graver = said not in _ORDER or _ORDER.index(Level(str(said))) >= _ORDER.index(level)
    return graver and (not model or line.get("model") == model) and (not since or _seconds(line) >= since)


def _seconds(line: Line) -> float:
    return datetime.fromisoformat(_time(line)).timestamp()


def _show(line: Line, as_json: bool) -> None:
    if as_json:
        print(json.dumps(line), flush=True)
        return
    moment = datetime.fromisoformat(line["time"]).strftime("%Y-%m-%d %H:%M:%S.%f")[:-3]
    head = f"{moment} {line.get('level', ''):8}{line.get('process', ''):11}{line.get('message', '')}"
    rest = [f"{key}={value}" for key, value in line.items() if key not in (*_SHOWN_FIRST, "stack")]
    print(harmless("  ".join([head, *rest])), flush=True)
    for frame in line.get("stack", ()):
        print(harmless(f"    {frame}"), flush=True)
