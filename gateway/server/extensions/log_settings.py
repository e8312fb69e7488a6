"""The V2 log settings: the level of the node's workers, which callers may change.

Settings are plain values by name, which HTTP and gRPC both send.
"""

import logging
from collections.abc import Mapping

from gateway.core.words import quoted
from gateway.protocols.fields import invalid
from gateway.telemetry.log_level import LogLevel

Settings = dict[str, bool | int | str]

_LEVELS = {"log_verbose_level": logging.DEBUG, "log_info": logging.INFO, "log_warning": logging.WARNING}


def told(log_level: LogLevel) -> Settings:
    """What holds now: whether each level is logged."""
    level = log_level.get()
    return {
        "log_error": True,
        "log_warning": level <= logging.WARNING,
        "log_info": level <= logging.INFO,
        "log_verbose_level": int(level <= logging.DEBUG),
    }


def change(log_level: LogLevel, wanted: Mapping[str, object]) -> Settings:
    """Set the log level, and tell what it then is.

    A level brings all graver ones with it. Raises INVALID for what is unknown or contradicts that, such as
    switching errors off.
    """
    settings = told(log_level)
    for name, value in wanted.items():
        if name not in settings:
            raise invalid(f"there is no log setting {quoted(name)}; there are {', '.join(settings)}")
        if type(value) is not type(settings[name]) or (name == "log_verbose_level" and value not in (0, 1)):
            kind = "0 or 1" if name == "log_verbose_level" else "true or false"
            raise invalid(f"log setting {name!r} must be {kind}")
    off = [name for name, level in _LEVELS.items() if name in wanted and not wanted[name]]
    on = [level for name, level in _LEVELS.items() if wanted.get(name)]
    if wanted.get("log_error") is False or any(level <= _LEVELS[name] for name in off for level in on):
        raise invalid("errors are always logged, and a level brings the graver ones with it")
    kept = [level for name, level in _LEVELS.items() if settings[name] and name not in off]
    floor = max((_LEVELS[name] for name in off), default=logging.NOTSET)
    log_level.set(min((level for level in (*on, *kept) if level > floor), default=logging.ERROR))
    return told(log_level)
