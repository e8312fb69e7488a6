"""A process's log as a file of JSON lines with fixed keys. What is logged never holds a request's data.

One record is one line of ASCII, whatever it says: nothing in it can end the line, forge another one or move a
terminal's cursor. Of an exception only its type and place are told: its words may quote data.
"""

import json
import logging
import os
import time
import traceback
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from logging.handlers import RotatingFileHandler
from pathlib import Path
from types import MappingProxyType

from gateway.config import Logging

REQUEST_KEYS = (
    "model",
    "version",
    "request_id",
    "prediction_id",
    "trace_id",
    "outcome",
    "code",
    "latency_ms",
    "left_out",
)
"""Keys that a record about requests has, given as `extra`; only those that are known are written."""
_NOTHING: Mapping[str, object] = MappingProxyType({})
_MOST_TEXT = 2_000
_MOST_FRAMES = 20
_KEPT_FILES = 3


class JsonLines(logging.Formatter):
    """A record as one line of JSON.

    Args:
        process: names the process in every line.
        about: what else every line has.
    """

    def __init__(self, process: str, about: Mapping[str, object] = _NOTHING) -> None:
        super().__init__()
        self._process = process
        self._about = about

    def format(self, record: logging.LogRecord) -> str:
        line: dict[str, object] = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "process": self._process,
            "logger": record.name,
            "message": record.getMessage()[:_MOST_TEXT],
        }
        line |= self._about
        line |= {key: getattr(record, key) for key in REQUEST_KEYS if hasattr(record, key)}
        if record.exc_info and (error := record.exc_info[1]) is not None:
            frames = traceback.extract_tb(error.__traceback__)[-_MOST_FRAMES:]
            line["error"] = type(error).__name__
            line["stack"] = [f"{frame.filename}:{frame.lineno} {frame.name}" for frame in frames]
        return json.dumps(line)


class Refrain:
    """Whether something is worth a line: what fails in every turn of a loop would push all else out.

    Args:
        again_s: after so many seconds the same words are worth one again.
        clock: monotonic seconds.
    """

    def __init__(self, again_s: float = 60.0, clock: Callable[[], float] = time.monotonic) -> None:
        self._again_s = again_s
        self._clock = clock
        self._said = ""
        self._said_at = 0.0

    def is_news(self, words: str) -> bool:
        """True for other words than the last, or once these are old; they are then taken as said."""
        now = self._clock()
        if words == self._said and now - self._said_at < self._again_s:
            return False
        self._said, self._said_at = words, now
        return True

    def over(self) -> bool:
        """Nothing fails now. True if something was said to, which then is forgotten."""
        said, self._said = self._said, ""
        return bool(said)


def log_file(home: Path, process: str) -> Path:
    return home / "logs" / f"{process}.jsonl"


def log_to_file(home: Path, process: str, settings: Logging, about: Mapping[str, object] = _NOTHING) -> None:
    """Write what this process logs to `HOME/logs/PROCESS.jsonl`, in place of everywhere else.

    Args:
        about: what every line says, such as the model that the process is there for.
    """
    path = log_file(home, process)
    path.parent.mkdir(parents=True, exist_ok=True)
    os.close(os.open(path, os.O_CREAT | os.O_WRONLY, 0o600))
    handler = RotatingFileHandler(
        path, maxBytes=settings.file_mb * 2**20, backupCount=_KEPT_FILES, encoding="ascii"
    )
    handler.setFormatter(JsonLines(process, about))
    root = logging.getLogger()
    for old in root.handlers[:]:
        root.removeHandler(old)
    root.addHandler(handler)
    for package in ("gateway", "lifecycle"):
        logging.getLogger(package).setLevel(settings.level.upper())
