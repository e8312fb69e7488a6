"""How names are said back to a caller. A refusal has to fit a header of gRPC, whatever the names are."""

from collections.abc import Collection, Iterable
from difflib import get_close_matches
from itertools import islice

_MOST = 80
_SHOWN = 8
_LOOKED_AT = 1000
_COMPARED = 32


def quoted(name: object) -> str:
    """A word, safe to log and at most 80 characters long."""
    text = repr(name)
    return text if len(text) <= _MOST else text[: _MOST - 4] + "...'"


def listed(names: Collection[object]) -> str:
    """The first eight of some words, and how many there are."""
    shown = ", ".join(map(quoted, islice(names, _SHOWN)))
    return f"{shown}, … ({len(names)} in all)" if len(names) > _SHOWN else shown


def nearest(word: str, words: Iterable[str]) -> str:
    """The word that was probably meant, empty if none is near: case aside, a letter or two differ.

    Of many only the first thousand are looked at, and few are compared: a wrong name must cost little.
    """
    typed = word[:_MOST].lower()
    alike = (
        other
        for other in islice(words, _LOOKED_AT)
        if abs(len(other) - len(typed)) <= 3
        and {typed[:1], typed[-1:]} & {other[:1].lower(), other[-1:].lower()}
    )
    lowered = {other.lower(): other for other in islice(alike, _COMPARED)}
    return next((lowered[match] for match in get_close_matches(typed, lowered, n=1, cutoff=0.75)), "")


def or_rather(word: str, words: Iterable[str]) -> str:
    """What follows a refused name in a message: `; did you mean 'iris'?`, or nothing."""
    meant = nearest(word, words)
    return f"; did you mean {quoted(meant)}?" if meant else ""
