"""From a drain's counts and records to a window, in bulk: one histogram and one profile count per version."""

from array import array
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Sequence

import numpy as np

from gateway.core.callers import NO_KEYS, added, by_bucket
from gateway.core.profile import Profile
from gateway.core.summary import Counts, Window, WindowKey, latency_histogram
from gateway.core.types import Outcome, Tensors
from gateway.telemetry.record import ANSWERED, Record

Pair = tuple[Tensors, Tensors]


class Summing:
    """What was seen of one key since `start` (Unix seconds), on its way to a window.

    Keeps tensors only if a profile will count them.
    """

    __slots__ = (
        "_keyed",
        "_latencies",
        "_outcomes",
        "_protocols",
        "_rows",
        "_start",
        "_tensors",
        "dropped",
        "size",
    )

    def __init__(self, start: float) -> None:
        self._start = start
        self._latencies = array("q")
        self._outcomes: Counter[Outcome] = Counter()
        self._protocols: Counter[tuple[str, Outcome]] = Counter()
        self._keyed = NO_KEYS
        self._rows = 0
        self._tensors: list[Pair] = []
        self.dropped = 0
        self.size = 0
        """Bytes of tensors held."""

    def count(
        self, protocol: str, outcome: Outcome, latencies: "array[int]", keys: Collection[str], rows: int
    ) -> None:
        """Take in requests of one kind: the latency in ns of each, routing keys, the sum of rows."""
        self._outcomes[outcome] += len(latencies)
        self._protocols[protocol, outcome] += len(latencies)
        self._rows += rows
        if outcome in ANSWERED:
            self._latencies.extend(latencies)
        if keys:
            self._keyed = added(self._keyed, by_bucket((key, outcome) for key in keys))

    def add(self, records: Sequence[Record], profiled: bool) -> int:
        """Take in answers' tensors; returns the bytes of those that are not kept."""
        size = sum(record.size for record in records)
        if not profiled:
            return size
        self._tensors.extend((record.inputs, record.outputs) for record in records)
        self.size += size
        return 0

    def window(self, key: WindowKey, profile: Profile | None, end: float) -> Window:
        return Window(
            *key,
            self._start,
            end,
            dict(self._outcomes),
            dict(self._protocols),
            latency_histogram(np.array(self._latencies, np.int64)),
            self._rows,
            {} if profile is None else _counts(profile, self._tensors),
            self.dropped,
            keyed=self._keyed,
        )


def _counts(profile: Profile, pairs: list[Pair]) -> dict[str, Counts]:
    total: dict[str, Counts] = {}
    for inputs, outputs in _joined(pairs):
        for key, counts in profile.count(inputs, outputs).items():
            total[key] = total[key] + counts if key in total else counts
    return total


def _joined(pairs: Iterable[Pair]) -> Iterator[Pair]:
    """All rows, joined where the tensors' names and shapes agree."""
    named: dict[object, list[Pair]] = {}
    for pair in pairs:
        named.setdefault((*pair[0], 0, *pair[1]), []).append(pair)
    for group in named.values():
        # Shapes nearly always agree; looking at each would take longer than joining them.
        try:
            yield _join(group)
        except ValueError:
            shaped: dict[object, list[Pair]] = {}
            for pair in group:
                shapes = tuple(array.shape[1:] for side in pair for array in side.values())
                shaped.setdefault(shapes, []).append(pair)
            yield from map(_join, shaped.values())


def _join(pairs: list[Pair]) -> Pair:
    inputs = [pair[0] for pair in pairs]
    outputs = [pair[1] for pair in pairs]
    return _stack(inputs), _stack(outputs)


def _stack(tensors: list[Tensors]) -> Tensors:
    names = [name for name, array in tensors[0].items() if array.ndim]
    return {name: np.concatenate([each[name] for each in tensors]) for name in names}
