"""Places for the requests of limited models: how many run at once, how many wait, and in which order."""

import asyncio
import contextlib
import time
from collections import Counter, deque
from collections.abc import Container

from gateway.core.limits import ModelLimits
from gateway.errors import ErrorCode, GatewayError


class _Places:
    __slots__ = ("most", "running", "waiting")

    def __init__(self) -> None:
        self.most = 0
        self.running = 0
        self.waiting: deque[asyncio.Future[None]] = deque()

    def let_in(self) -> None:
        """Give free places to those who have waited longest."""
        while self.waiting and self.running < self.most:
            turn = self.waiting.popleft()
            if not turn.done():
                self.running += 1
                turn.set_result(None)


class Admission:
    """One per worker; lives in its event loop. Every `enter` that returns needs one `leave`."""

    def __init__(self) -> None:
        self.refused: Counter[str] = Counter()
        """Requests turned away, by model."""
        self.full: set[str] = set()
        """Models whose last place is taken, unless their limits have changed since: `check` knows."""
        self._models: dict[str, _Places] = {}

    async def enter(self, model: str, limits: ModelLimits, deadline_ns: int) -> None:
        """Take a place, or wait for one. Does not suspend while there is one.

        Raises:
            GatewayError: OVERLOADED at once if the queue is full, DEADLINE if it passes in the queue.
        """
        places = self._models.get(model)
        if places is None:
            places = self._models[model] = _Places()
        if limits.max_concurrency != places.most:
            places.most = limits.max_concurrency
            places.let_in()  # a limit that was raised is no reason to wait for somebody to leave
        self.check(model, limits)
        left = limits.max_concurrency - places.running + limits.max_queue - len(places.waiting)
        if left <= 1:
            self.full.add(model)
        if places.running < places.most and not places.waiting:
            places.running += 1
            return
        await self._wait(model, places, deadline_ns)

    def check(self, model: str, limits: ModelLimits) -> None:
        """Raise OVERLOADED, and count it, if there is no place to run or to wait."""
        places = self._models.get(model)
        if places is None or not limits.max_concurrency:
            return
        if places.running < limits.max_concurrency and not places.waiting:
            return
        if len(places.waiting) >= limits.max_queue:
            self.refused[model] += 1
            raise GatewayError(ErrorCode.OVERLOADED, f"model {model!r} is at its limit; try again later")

    async def _wait(self, model: str, places: _Places, deadline_ns: int) -> None:
        loop = asyncio.get_running_loop()
        turn: asyncio.Future[None] = loop.create_future()
        places.waiting.append(turn)
        left_s = (deadline_ns - time.monotonic_ns()) / 1e9
        alarm = loop.call_later(left_s, _expire, turn) if deadline_ns else None
        try:
            await turn
        except BaseException:
            with contextlib.suppress(ValueError):
                places.waiting.remove(turn)
            self.full.discard(model)
            if turn.done() and not turn.cancelled() and turn.exception() is None:
                self.leave(model)  # its turn came as its caller went
            raise
        finally:
            if alarm is not None:
                alarm.cancel()

    def leave(self, model: str) -> None:
        """Give the place back: the one that has waited longest gets it."""
        self.full.discard(model)
        places = self._models[model]
        places.running -= 1
        places.let_in()
        if not places.running and not places.waiting:
            del self._models[model]

    def forget(self, models: Container[str]) -> None:
        """Let go of the counts of all other models. May be called from a thread."""
        for model in [*self.refused]:
            if model not in models:
                self.refused.pop(model, None)


def _expire(turn: "asyncio.Future[None]") -> None:
    if not turn.done():
        turn.set_exception(GatewayError(ErrorCode.DEADLINE, "the request's deadline passed in the queue"))
