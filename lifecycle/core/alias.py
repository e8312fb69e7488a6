"""The registry's side of aliases: what a name stands for, and which names people may set."""

import re

from gateway.core import alias
from gateway.core.alias import ALIAS, CANARY, CHAMPION
from gateway.core.words import listed
from lifecycle.core.version import Model
from lifecycle.errors import LifecycleCode, LifecycleError


def aliases(model: Model) -> dict[str, int]:
    """Every name that stands for a version now."""
    return alias.aliases(model.aliases, model.champion, model.weights)


def resolve(model: Model, text: str) -> int:
    """The number that a version's number or alias means.

    Raises:
        LifecycleError: NOT_FOUND for an alias that stands for nothing, INVALID for a number below 1.
    """
    if not re.fullmatch(r"-?[0-9]+", text):
        names = aliases(model)
        if (number := names.get(text)) is not None:
            return number
        known = listed(sorted(names)) or "no alias yet"
        message = f"model {model.name!r} has no version that is called {text!r} now; there is {known}"
        raise LifecycleError(LifecycleCode.NOT_FOUND, message)
    if len(text) > 10 or not 1 <= int(text) < 2**31:
        raise LifecycleError(LifecycleCode.INVALID, "a version's number is 1 or higher")
    return int(text)


def check_free(name: str) -> None:
    """Raises LifecycleError INVALID for a name that people cannot set."""
    if name in (CHAMPION, CANARY):
        message = f"{name!r} follows the traffic by itself; change it with `headrace traffic set`"
        raise LifecycleError(LifecycleCode.INVALID, message)
    if not ALIAS.fullmatch(name):
        message = "an alias begins with a letter and has up to 64 letters, digits, '.', '_' and '-'"
        raise LifecycleError(LifecycleCode.INVALID, message)
