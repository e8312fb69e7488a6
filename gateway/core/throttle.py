"""Counts bad keys by address. Holds a bounded number of addresses; time is an argument."""

from collections import OrderedDict

WINDOW_S = 60.0
ALLOWED = 10
_ADDRESSES = 10_000


class BadKeys:
    """Says when an address has shown too many bad keys within a minute.

    Only bad keys are ever refused by it: one careless program must not lock out its neighbours behind the
    same address, and nobody guesses 256 bits.
    """

    def __init__(self) -> None:
        self._seen: OrderedDict[str, tuple[float, int]] = OrderedDict()

    def note(self, address: str, now: float) -> bool:
        """Count one more bad key; True once there are too many. `now` is in seconds and never goes back."""
        since, count = self._seen.pop(address, (now, 0))
        if now - since >= WINDOW_S:
            since, count = now, 0
        self._seen[address] = since, count + 1
        if len(self._seen) > _ADDRESSES:
            self._seen.popitem(last=False)
        return count + 1 > ALLOWED
