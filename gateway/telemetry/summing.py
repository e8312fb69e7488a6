"""From a drain's records to a window, in bulk: one histogram and one profile count per version."""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from operator import attrgetter

import numpy as np

from gateway.core.callers import NO_KEYS, added, by_bucket
from gateway.core.profile import Profile
from gateway.core.summary import Counts, Key, Window, latency_histogram
from gateway.core.types import Outcome, Tensors
from gateway.telemetry.record import ANSWERED, Record

Pair = tuple[Tensors, Tensors]

_OUTCOME, _LATENCY, _ROWS, _SIZE = map(attrgetter, ("outcome", "latency_ns", "rows", "size"))
_PROTOCOL_OUTCOME = attrgetter("protocol", "outcome")


class Summing:
    """The records of one key since `start` (Unix seconds), on their way to a window.

    Keeps their tensors only if a profile will count them.
    """

    __slots__ = (
        *("_keyed", "_latencies", "_outcomes", "_protocols", "_rows", "_start", "_tensors"),
        *("dropped", "size"),
    )

    def __init__(self, start: float) -> None:
        self._start = start
        self._latencies: list[int] = []
        self._outcomes: Counter[Outcome] = Counter()
        self._protocols: Counter[tuple[str, Outcome]] = Counter()
        self._keyed = NO_KEYS
        self._rows = 0
        self._tensors: list[Pair] = []
        self.dropped = 0
        self.size = 0
        """Bytes of tensors held."""

    def add(self, records: Sequence[Record], profiled: bool) -> int:
        """Take in records; returns the bytes of those of their tensors that are not kept."""
        # Passes in C: a loop over thousands of records would take three times as long, on requests' time.
        self._outcomes.update(map(_OUTCOME, records))
        self._protocols.update(map(_PROTOCOL_OUTCOME, records))
        answered = [record for record in records if record.outcome in ANSWERED]
        self._latencies.extend(map(_LATENCY, answered))
        self._rows += sum(map(_ROWS, answered))
        kept = 0
        if profiled:
            for record in answered:
                if record.inputs is not None and record.outputs is not None:
                    self._tensors.append((record.inputs, record.outputs))
                    kept += record.size
        self.size += kept
        keyed = [(record.key, record.outcome) for record in records if record.key]
        self._keyed = added(self._keyed, by_bucket(keyed))
        held: int = sum(map(_SIZE, records))
        return held - kept

    def window(self, key: Key, profile: Profile | None, end: float) -> Window:
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
