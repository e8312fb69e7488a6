"""A shadow's answers beside the champion's, held until they are compared: later, in bulk, elsewhere.

The event loop appends and a draining thread takes, at the two ends of one deque.
"""

from collections import deque
from collections.abc import Iterator
from typing import NamedTuple

from gateway.core.disagreement import Disagreement, aligned, compare
from gateway.core.summary import Window, WindowKey
from gateway.core.types import Tensors, joined, memory_of

MOST_PAIRS = 20_000
MOST_BYTES = 32 * 2**20
"""Outputs held between two drains. Beyond either bound a pair is left out, and counted."""


class _Pair(NamedTuple):
    key: WindowKey
    champion: Tensors
    shadow: Tensors
    size: int


class _Group(NamedTuple):
    sizes: list[int]
    champion: list[Tensors]
    shadow: list[Tensors]


class Pairs:
    """Collects pairs. `dropped` counts those that found no room."""

    def __init__(self, most_pairs: int = MOST_PAIRS, most_bytes: int = MOST_BYTES) -> None:
        self.dropped = 0
        self._most_pairs = most_pairs
        self._most_bytes = most_bytes
        self._pending: deque[_Pair] = deque()
        self._held_bytes = 0
        self._freed_bytes = 0

    def add(self, key: WindowKey, champion: Tensors, shadow: Tensors) -> None:
        """Take two answers to one request; `key` is that of the shadow's window."""
        size = sum(memory_of(array) for side in (champion, shadow) for array in side.values())
        held = self._held_bytes - self._freed_bytes
        if len(self._pending) >= self._most_pairs or held + size > self._most_bytes:
            self.dropped += 1
            return
        self._held_bytes += size
        self._pending.append(_Pair(key, champion, shadow, size))

    def drain(self, now: float) -> list[Window]:
        """Windows that say only how the pairs since the last call agree; `now` is Unix seconds.

        Takes time in proportion to them: call it from a thread.
        """
        found: dict[WindowKey, Disagreement] = {}
        for key, group in self._grouped():
            comparison = compare(joined(group.champion), joined(group.shadow), sum(group.sizes))
            seen = Disagreement.of(comparison, group.sizes)
            found[key] = found[key].merge(seen) if key in found else seen
        return [Window.of_pairs(key, now, disagreement) for key, disagreement in found.items()]

    def _grouped(self) -> Iterator[tuple[WindowKey, _Group]]:
        """Pairs that can be compared in one go: of one key, with outputs of the same names and shapes."""
        groups: dict[object, tuple[WindowKey, _Group]] = {}
        for _ in range(len(self._pending)):
            pair = self._pending.popleft()
            self._freed_bytes += pair.size
            rows, left, right = aligned(pair.champion, pair.shadow)
            if not rows:
                continue
            layout = tuple((name, left[name].shape[1:], right[name].shape[1:]) for name in left)
            _, group = groups.setdefault((pair.key, layout), (pair.key, _Group([], [], [])))
            group.sizes.append(rows)
            group.champion.append(left)
            group.shadow.append(right)
        yield from groups.values()
