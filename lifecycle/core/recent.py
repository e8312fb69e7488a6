"""The last minutes of each champion's traffic, so that a rollout starts with something to compare with."""

from collections.abc import Iterable, Sequence
from dataclasses import replace

from gateway.core.summary import Window
from gateway.core.types import Role


def per_second(windows: Sequence[Window]) -> float:
    """Requests per second over the time that the windows span; 0 without any."""
    if not windows:
        return 0.0
    span = max(window.end for window in windows) - min(window.start for window in windows)
    return sum(window.requests for window in windows) / max(span, 1.0)


_Key = tuple[str, int]


class Recent:
    """Two buckets of merged windows: the one being filled and the one before. Memory stays bounded.

    Args:
        bucket_s: length of a bucket; what is kept spans one to two of them.
    """

    def __init__(self, bucket_s: float = 60.0) -> None:
        self._bucket_s = bucket_s
        self._began = 0.0
        self._filling: dict[_Key, Window] = {}
        self._full: dict[_Key, Window] = {}

    def add(self, windows: Iterable[Window], now: float) -> None:
        """Take in windows of champions; others are left out."""
        if abs(now - self._began) >= self._bucket_s:
            self._full, self._filling, self._began = self._filling, {}, now
        for window in windows:
            if window.role is Role.CHAMPION:
                key, plain = (window.model, window.version), replace(window, generation=0)
                held = self._filling.get(key)
                self._filling[key] = held.merge(plain) if held else plain

    def of(self, model: str, version: int) -> list[Window]:
        """What was seen of a version while it was champion."""
        buckets = (self._full, self._filling)
        return [bucket[model, version] for bucket in buckets if (model, version) in bucket]
