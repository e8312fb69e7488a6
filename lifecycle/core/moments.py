"""Moments and lengths of time as people write them. `now` is Unix seconds."""

import contextlib
import math
import re
from datetime import UTC, datetime

from lifecycle.errors import LifecycleCode, LifecycleError

_UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86400}


def duration(seconds: float) -> str:
    """A length of time in words: `1 min 30 s`."""
    whole = int(seconds)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60} s"
    return f"{whole // 3600} h {whole % 3600 // 60} min"


def read_time(text: str, now: float) -> float:
    """Unix seconds of a time; UTC unless it names another zone.

    Raises LifecycleError INVALID, also for a time that is still to come: nobody knows what will serve then.
    """
    if (seconds := _seconds(text)) is None:
        raise _invalid(f"{text!r} is not a time; write e.g. 2026-11-20T12:00:00Z")
    if seconds > now:
        here = datetime.fromtimestamp(now, UTC)
        raise _invalid(
            f"{text!r} is still to come: it is {here:%Y-%m-%dT%H:%M:%SZ} here; give a time that is over"
        )
    return seconds


def read_length(text: str) -> float:
    """Seconds of `90s`, `15m`, `12h` or `30d`. Raises LifecycleError INVALID."""
    found = re.fullmatch(r"(\d{1,6})([smhd])", text)
    if found is None:
        raise _invalid(f"{text!r} is no length of time; write e.g. 12h or 30d")
    return float(int(found[1]) * _UNITS[found[2]])


def read_since(text: str, now: float) -> float:
    """Unix seconds of a time that is over, or of so long ago. Raises LifecycleError INVALID."""
    with contextlib.suppress(LifecycleError):
        return now - read_length(text)
    if _seconds(text) is None:
        raise _invalid(
            f"{text!r} is neither a time nor a length of time; write e.g. 2026-11-20T12:00:00Z, or 1h"
        )
    return read_time(text, now)


def _seconds(text: str) -> float | None:
    with contextlib.suppress(ValueError):
        if math.isfinite(seconds := float(text)):
            return seconds
    with contextlib.suppress(ValueError):
        moment = datetime.fromisoformat(text)
        return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()
    return None


def _invalid(message: str) -> LifecycleError:
    return LifecycleError(LifecycleCode.INVALID, message)
