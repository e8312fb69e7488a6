"""What this worker answered, by model and served version, for the V2 statistics calls."""

import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

from gateway.config import Logging
from gateway.core.routing import ModelRoute
from gateway.core.types import InferRequest, InferResponse, VersionKey
from gateway.errors import GatewayError
from gateway.ports import MeterKey
from gateway.response_cache import ResponseCaches
from gateway.runtime.stages import StageLog
from gateway.telemetry.request_log import Headers, RequestLog


@dataclass(slots=True)
class Count:
    """`rows` sums the first dimensions of what was answered; `busy_ns` and `failed_ns` the time from call to
    answer and to refusal; `last` is Unix time in s. Of `busy_ns`, `input_ns` is before and `engine_ns` within
    the engine, and of that `waited_ns` for a turn or a load."""

    requests: int = 0
    rows: int = 0
    busy_ns: int = 0
    input_ns: int = 0
    engine_ns: int = 0
    waited_ns: int = 0
    failed: int = 0
    failed_ns: int = 0
    last: float = 0.0


class Meter(Protocol):
    """Counts by itself."""

    def settle(self, count: Count) -> None:
        """Add what was answered since the last call."""
        ...


class Tally:
    """Counts the answers of what is served. Shared by all of a worker's servers.

    `stages` and `caches` have what requests do not tell of themselves, `meters` what is not told one by one.
    """

    def __init__(
        self,
        log: RequestLog | None = None,
        stages: StageLog | None = None,
        caches: ResponseCaches | None = None,
        meters: Mapping[MeterKey, Meter] | None = None,
    ) -> None:
        self._log = RequestLog(Logging()) if log is None else log
        self.stages = StageLog() if stages is None else stages
        self.caches = ResponseCaches() if caches is None else caches
        self._meters = {} if meters is None else meters
        self.counts: dict[VersionKey, Count] = {}

    def add(self, request: InferRequest, response: InferResponse, started_ns: int, headers: Headers) -> None:
        """Count an answer; `started_ns` is on the monotonic clock. A slow one is logged."""
        count = self._of(response.model, response.version)
        count.requests += 1
        for array in request.inputs.values():
            count.rows += len(array) if array.ndim else 1
            break
        busy_ns = time.monotonic_ns() - started_ns
        count.busy_ns += busy_ns
        count.input_ns += response.arrived_ns - started_ns
        count.engine_ns += response.latency_ns
        count.waited_ns += response.waited_ns
        if busy_ns > self._log.slow_ns:
            self._log.slow(request, response, busy_ns, headers)
        count.last = time.time()

    def settle(self) -> None:
        """Add what the meters have: to be called before `counts` is read."""
        for (model, version, *_), meter in self._meters.items():
            meter.settle(self._of(model, version))

    def fail(
        self, model: str, error: GatewayError, started_ns: int, headers: Headers, request_id: str = ""
    ) -> None:
        """Log a failure, and count it under the version that was chosen, once one was."""
        failed_ns = time.monotonic_ns() - started_ns
        self._log.failed(model, error, failed_ns, headers, request_id)
        if error.version is not None:
            count = self._of(model, error.version)
            count.failed += 1
            count.failed_ns += failed_ns

    def forget(self, models: Mapping[str, ModelRoute]) -> None:
        """Let go of versions that none of these routes names any more. May be called from a thread."""
        for key in [*self.counts]:
            if not _names(models, key):
                self.counts.pop(key, None)
        self.stages.keep(lambda key: _names(models, key))

    def _of(self, model: str, version: int) -> Count:
        count = self.counts.get((model, version))
        if count is None:
            count = self.counts[model, version] = Count()
        return count


def _names(models: Mapping[str, ModelRoute], key: VersionKey) -> bool:
    route = models.get(key[0])
    return route is not None and route.entry(key[1]) is not None
