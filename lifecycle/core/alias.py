"""Names for versions: two that follow the traffic by themselves, and free ones that people set."""

import re

from lifecycle.core.version import Model
from lifecycle.errors import LifecycleCode, LifecycleError

CHAMPION, CANARY = "champion", "canary"
_FREE = re.compile(r"[A-Za-z][A-Za-z0-9._-]{0,63}")


def aliases(model: Model) -> dict[str, int]:
    """Every name that stands for a version now. Of several canaries the heaviest is meant."""
    canaries = [(weight, number) for number, weight in model.weights if weight and number != model.champion]
    follow = {CHAMPION: model.champion} if model.champion else {}
    return dict(model.aliases) | follow | ({CANARY: max(canaries)[1]} if canaries else {})


def resolve(model: Model, text: str) -> int:
    """The number that a version's number or alias means.

    Raises:
        LifecycleError: NOT_FOUND for an alias that stands for nothing, INVALID for a number below 1.
    """
    if not re.fullmatch(r"-?[0-9]+", text):
        if (number := aliases(model).get(text)) is not None:
            return number
        message = f"model {model.name!r} has no version that is called {text!r} now"
        raise LifecycleError(LifecycleCode.NOT_FOUND, message)
    if len(text) > 10 or not 1 <= int(text) < 2**31:
        raise LifecycleError(LifecycleCode.INVALID, "a version's number is 1 or higher")
    return int(text)


def check_free(alias: str) -> None:
    """Raises LifecycleError INVALID for a name that people cannot set."""
    if alias in (CHAMPION, CANARY):
        message = f"{alias!r} follows the traffic by itself; change it with `headrace traffic set`"
        raise LifecycleError(LifecycleCode.INVALID, message)
    if not _FREE.fullmatch(alias):
        message = "an alias begins with a letter and has up to 64 letters, digits, '.', '_' and '-'"
        raise LifecycleError(LifecycleCode.INVALID, message)
