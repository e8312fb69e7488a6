"""The last minutes of each version's traffic: what a rollout starts to compare with, and what people see."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from gateway.core.summary import Window, quantile
from gateway.core.types import Outcome, Role


def per_second(windows: Sequence[Window]) -> float:
    """Requests per second over the time that the windows span; 0 without any."""
    if not windows:
        return 0.0
    span = max(window.end for window in windows) - min(window.start for window in windows)
    return sum(window.requests for window in windows) / max(span, 1.0)


@dataclass(frozen=True, slots=True)
class Rates:
    """What a version does now in one role: shares of its requests, latencies in ms (NaN without answers)."""

    version: int
    role: Role
    requests_per_s: float
    error_rate: float
    invalid_rate: float
    p50_ms: float
    p99_ms: float

    @classmethod
    def of(cls, windows: Sequence[Window]) -> "Rates":
        """Of windows of one version in one role, at least one."""
        requests = max(1, sum(window.requests for window in windows))
        latency = sum((window.latency for window in windows[1:]), windows[0].latency)

        def share(outcome: Outcome) -> float:
            return sum(window.outcomes.get(outcome, 0) for window in windows) / requests

        return cls(
            version=windows[0].version,
            role=windows[0].role,
            requests_per_s=per_second(windows),
            error_rate=share(Outcome.SERVER_ERROR),
            invalid_rate=share(Outcome.INVALID_OUTPUT),
            p50_ms=quantile(latency, 0.5) / 1e6,
            p99_ms=quantile(latency, 0.99) / 1e6,
        )


_Key = tuple[int, Role]


class Recent:
    """Two buckets of merged windows: the one being filled and the one before. Memory stays bounded.

    Args:
        bucket_s: length of a bucket; what is kept spans one to two of them.
    """

    def __init__(self, bucket_s: float = 60.0) -> None:
        self._bucket_s = bucket_s
        self._began = 0.0
        self._filling: dict[str, dict[_Key, Window]] = {}
        self._full: dict[str, dict[_Key, Window]] = {}

    def add(self, windows: Iterable[Window], now: float) -> None:
        if abs(now - self._began) >= self._bucket_s:
            self._full, self._filling, self._began = self._filling, {}, now
        for window in windows:
            held, key = self._filling.setdefault(window.model, {}), (window.version, window.role)
            plain = replace(window, generation=0)
            held[key] = held[key].merge(plain) if key in held else plain

    def of(self, model: str, version: int) -> list[Window]:
        """What was seen of a version while it was champion."""
        return self._seen(model).get((version, Role.CHAMPION), [])

    def rates(self, model: str) -> list[Rates]:
        """What each version of a model does now, in each of its roles."""
        return [Rates.of(windows) for _, windows in sorted(self._seen(model).items())]

    def _seen(self, model: str) -> dict[_Key, list[Window]]:
        seen: dict[_Key, list[Window]] = {}
        for bucket in (self._full, self._filling):
            for key, window in bucket.get(model, {}).items():
                seen.setdefault(key, []).append(window)
        return seen
