"""Names for versions: two that follow the traffic by themselves, and free ones that people set."""

import re
from collections.abc import Iterable, Mapping

CHAMPION, CANARY = "champion", "canary"
ALIAS = re.compile(r"[A-Za-z][A-Za-z0-9._-]{0,63}")
"""How an alias is written: never like a number."""


def aliases(free: Mapping[str, int], champion: int, weights: Iterable[tuple[int, float]]) -> dict[str, int]:
    """Every name that stands for a version now. Of several canaries the heaviest is meant.

    Args:
        champion: 0 for none.
        weights: percent of the traffic by version.
    """
    canaries = [(weight, number) for number, weight in weights if weight and number != champion]
    follow = {CHAMPION: champion} if champion else {}
    return dict(free) | follow | ({CANARY: max(canaries)[1]} if canaries else {})
