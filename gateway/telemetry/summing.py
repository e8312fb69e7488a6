"""From a drain's records to a window, in bulk: one histogram and one profile count per version."""

from collections import Counter
from collections.abc import Iterable, Iterator

import numpy as np

from gateway.core.profile import Profile
from gateway.core.summary import Counts, Key, Window, latency_histogram
from gateway.core.types import Tensors
from gateway.telemetry.record import ANSWERED, Record

Pair = tuple[Tensors, Tensors]


def window(
    key: Key, records: list[Record], profile: Profile | None, start: float, end: float, dropped: int
) -> Window:
    """One window of records that all have this key."""
    answered = [record for record in records if record.outcome in ANSWERED]
    return Window(
        *key,
        start,
        end,
        dict(Counter(record.outcome for record in records)),
        dict(Counter((record.protocol, record.outcome) for record in records)),
        latency_histogram(np.array([record.latency_ns for record in answered], np.int64)),
        sum(record.rows for record in answered),
        {} if profile is None else _counts(profile, answered),
        dropped,
    )


def _counts(profile: Profile, records: list[Record]) -> dict[str, Counts]:
    total: dict[str, Counts] = {}
    pairs = [(r.inputs, r.outputs) for r in records if r.inputs is not None and r.outputs is not None]
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
