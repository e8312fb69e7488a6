"""How names are said back to a caller. A refusal has to fit a header of gRPC, whatever the names are."""

from collections.abc import Collection
from itertools import islice

_MOST = 80
_SHOWN = 8


def quoted(name: object) -> str:
    """A word, safe to log and at most 80 characters long."""
    text = repr(name)
    return text if len(text) <= _MOST else text[: _MOST - 4] + "...'"


def listed(names: Collection[object]) -> str:
    """The first eight of some words, and how many there are."""
    shown = ", ".join(map(quoted, islice(names, _SHOWN)))
    return f"{shown}, … ({len(names)} in all)" if len(names) > _SHOWN else shown
