"""How much each caller may send in a minute: a token bucket per caller. Time is an argument."""

_CALLERS = 10_000


class Quota:
    """Holds a bounded number of callers.

    Args:
        per_minute: what a caller may send in a minute, and at once after a minute of rest.
    """

    def __init__(self, per_minute: float) -> None:
        self._per_minute = per_minute
        self._left: dict[str, tuple[float, float]] = {}

    def wait(self, caller: str, amount: int, now: float) -> float:
        """Take an amount and return 0; or take nothing and return the seconds until it may be sent.

        An amount of more than a minute's worth passes after a minute of rest, and is paid for afterwards.
        `now` is in seconds and never goes back.
        """
        left, at = self._left.pop(caller, (self._per_minute, now))
        left = min(left + (now - at) * self._per_minute / 60, self._per_minute)
        needed = min(amount, self._per_minute)
        fits = left >= needed
        self._left[caller] = (left - amount if fits else left), now
        if len(self._left) > _CALLERS:
            del self._left[next(iter(self._left))]
        return 0.0 if fits else (needed - left) * 60 / self._per_minute
