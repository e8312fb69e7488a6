"""Whether a worker's event loop is behind. Inline models run in the loop, so its lag is their queue."""

import asyncio

from gateway.errors import ErrorCode, GatewayError

_BEAT_S = 0.05
_LATE_BEATS = 3
"""One late beat is a pause of the machine; so many in a row are more requests than the loop can answer."""


class Pressure:
    """`high` while the loop lags more than it may. Costs a request one look at an attribute.

    Args:
        most_lag_s: how late the loop may be for its own timers.
    """

    def __init__(self, most_lag_s: float) -> None:
        self.high = False
        self.refused = 0
        self._most = most_lag_s
        self._late = 0
        self._due = 0.0
        self._timer: asyncio.TimerHandle | None = None

    def start(self) -> None:
        loop = asyncio.get_running_loop()
        self._due = loop.time() + _BEAT_S
        self._timer = loop.call_at(self._due, self._beat, loop)

    def stop(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _beat(self, loop: asyncio.AbstractEventLoop) -> None:
        self.observe(loop.time() - self._due)
        self.start()

    def observe(self, lag_s: float) -> None:
        """Take a beat that came `lag_s` late."""
        self._late = self._late + 1 if lag_s > self._most else 0
        # A turn of refusals is short, so the next beat is in time and work is taken again: most of the
        # time still goes to answers.
        self.high = self._late >= _LATE_BEATS

    def refusal(self) -> GatewayError:
        """Count one more request that is turned away."""
        self.refused += 1
        return GatewayError(ErrorCode.OVERLOADED, "this worker has more requests than it can answer")
