"""What this worker answered, by model and served version, for the V2 statistics calls."""

import logging
import time
from dataclasses import dataclass

from gateway.core.types import InferRequest, InferResponse
from gateway.errors import GatewayError

_log = logging.getLogger(__name__)


@dataclass(slots=True)
class Count:
    """`rows` sums the first dimensions of what was answered; `busy_ns` and `failed_ns` the time from call to
    answer and to refusal; `last` is Unix time in s."""

    requests: int = 0
    rows: int = 0
    busy_ns: int = 0
    failed: int = 0
    failed_ns: int = 0
    last: float = 0.0


class Tally:
    """Counts answers since the worker started. Shared by all of a worker's servers."""

    def __init__(self) -> None:
        self.counts: dict[tuple[str, int], Count] = {}

    def add(self, request: InferRequest, response: InferResponse, started_ns: int) -> None:
        """Count an answer; `started_ns` is on the monotonic clock."""
        count = self._of(response.model, response.version)
        count.requests += 1
        for array in request.inputs.values():
            count.rows += len(array) if array.ndim else 1
            break
        count.busy_ns += time.monotonic_ns() - started_ns
        count.last = time.time()

    def fail(self, model: str, error: GatewayError, started_ns: int) -> None:
        """Count a failure under the version that was chosen; before that choice nothing is counted."""
        _log.debug("a request to %r failed: %s", model, error)
        if error.version is not None:
            count = self._of(model, error.version)
            count.failed += 1
            count.failed_ns += time.monotonic_ns() - started_ns

    def _of(self, model: str, version: int) -> Count:
        count = self.counts.get((model, version))
        if count is None:
            count = self.counts[model, version] = Count()
        return count
