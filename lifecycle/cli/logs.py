"""`headrace logs`: what the processes of a home wrote, in order of time."""

import json
import time
from collections.abc import Iterator
from datetime import datetime
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer

from lifecycle.cli.options import HOME, AsJson, Home
from lifecycle.errors import LifecycleCode, LifecycleError
from lifecycle.terminal.screen import harmless

POLL_S = 0.3
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
    home: Home = HOME,
    model: Annotated[str, typer.Option(metavar="NAME", help="Only lines about this model.")] = "",
    level: Annotated[Level, typer.Option(help="This level and graver ones.")] = Level.INFO,
    lines: Annotated[int, typer.Option("--lines", "-n", min=0, help="How many, the newest ones.")] = 50,
    follow: Annotated[bool, typer.Option("--follow", "-f", help="Go on with what comes.")] = False,
    as_json: AsJson = False,
) -> None:
    """Show what workers, dedicated versions and the controller logged, slow and failed requests among it.

    Needs no running cluster. With `--json` a line is one JSON object.

    Example: `headrace logs --follow --level warning --model fraud`
    """
    files = Files(home.expanduser() / "logs")
    if not files.paths():
        raise LifecycleError(
            LifecycleCode.NOT_FOUND,
            f"no log under {home}: `headrace up` writes one; --home names another home",
        )
    wanted = sorted((line for line in files.new() if _wanted(line, model, level)), key=_time)
    for line in wanted[len(wanted) - lines if lines else len(wanted) :]:
        _show(line, as_json)
    while follow:
        time.sleep(POLL_S)
        for line in sorted(files.new(), key=_time):
            if _wanted(line, model, level):
                _show(line, as_json)


class Files:
    """The log files of a folder, read on from where the last reading ended."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._read_to: dict[Path, tuple[int, int]] = {}  # inode and place

    def paths(self) -> list[Path]:
        """The present files, without the older ones they took the place of."""
        return sorted(self._folder.glob("*.jsonl"))

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


def _wanted(line: Line, model: str, level: Level) -> bool:
    said = line.get("level")
    graver = said not in _ORDER or _ORDER.index(Level(str(said))) >= _ORDER.index(level)
    return graver and (not model or line.get("model") == model)


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
