"""Logs slow and failed requests, with their ids and never with their data; a burst is sampled."""

import logging
import time
from collections.abc import Callable, Mapping

from gateway.config import Logging
from gateway.core.trace_context import trace_context
from gateway.core.types import InferRequest, InferResponse, Outcome
from gateway.errors import GatewayError

_MOST_ID = 128
_BURST_S = 2.0
_LEVELS = {Outcome.SERVER_ERROR: logging.ERROR, Outcome.REFUSED: logging.WARNING}
Headers = Mapping[bytes, bytes]
log = logging.getLogger(__name__)


class RequestLog:
    """Lives in the worker's event loop, but for `tell_left_out`.

    Args:
        clock: seconds that never go back.
    """

    def __init__(self, settings: Logging, clock: Callable[[], float] = time.monotonic) -> None:
        self.slow_ns = int(settings.slow_ms * 1e6)
        self._rate = settings.requests_per_s
        self._clock = clock
        self._room = self._most = max(self._rate * _BURST_S, 1.0) if self._rate else 0.0
        self._at = clock()
        self._left_out = self._told = 0

    def slow(self, request: InferRequest, response: InferResponse, latency_ns: int, headers: Headers) -> None:
        """Note an answer that took longer than `slow_ns`."""
        if self._takes():
            ids = _ids(request.id, response.prediction_id, headers)
            served = {"model": response.model, "version": response.version, "outcome": Outcome.OK.value}
            log.warning("a request was slow", extra=served | ids | _latency(latency_ns))

    def failed(
        self, model: str, error: GatewayError, latency_ns: int, headers: Headers, request_id: str = ""
    ) -> None:
        """Note a request without an answer. The error's words may quote the request, so its code stands."""
        if not self._takes():
            return
        outcome = Outcome.of(error.code)
        fields: dict[str, object] = {
            "model": model[:_MOST_ID],
            "code": error.code.value,
            "outcome": outcome.value,
        }
        if error.version is not None:
            fields["version"] = error.version
        fields |= _ids(request_id, error.prediction_id, headers) | _latency(latency_ns)
        log.log(_LEVELS.get(outcome, logging.INFO), "a request failed", extra=fields)

    def tell_left_out(self) -> None:
        """Say how many were not logged since the last call, if any were."""
        fresh, self._told = self._left_out - self._told, self._left_out
        if fresh:
            log.warning("more requests were slow or failed than are logged", extra={"left_out": fresh})

    def _takes(self) -> bool:
        now = self._clock()
        self._room = min(self._room + (now - self._at) * self._rate, self._most)
        self._at = now
        if self._room < 1:
            self._left_out += 1
            return False
        self._room -= 1
        return True


def _ids(request_id: str, prediction_id: str, headers: Headers) -> dict[str, object]:
    context = trace_context(headers)
    trace_id = context.trace_id if context else ""
    named = {"request_id": request_id[:_MOST_ID], "prediction_id": prediction_id, "trace_id": trace_id}
    return {name: value for name, value in named.items() if value}


def _latency(latency_ns: int) -> dict[str, object]:
    return {"latency_ms": round(latency_ns / 1e6, 3)}
