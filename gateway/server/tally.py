"""What this worker answered, by model and served version, for the V2 statistics calls."""

import time
from dataclasses import dataclass

from gateway.core.types import InferRequest, InferResponse


@dataclass(slots=True)
class Count:
    """`rows` sums the first dimensions, `busy_ns` the time from call to answer, `last` is Unix time in s."""

    requests: int = 0
    rows: int = 0
    busy_ns: int = 0
    last: float = 0.0


class Tally:
    """Counts answers since the worker started. Shared by all of a worker's servers."""

    def __init__(self) -> None:
        self.counts: dict[tuple[str, int], Count] = {}

    def add(self, request: InferRequest, response: InferResponse, started_ns: int) -> None:
        """Count an answer; `started_ns` is on the monotonic clock."""
        served = (response.model, response.version)
        count = self.counts.get(served)
        if count is None:
            count = self.counts[served] = Count()
        count.requests += 1
        for array in request.inputs.values():
            count.rows += len(array) if array.ndim else 1
            break
        count.busy_ns += time.monotonic_ns() - started_ns
        count.last = time.time()
