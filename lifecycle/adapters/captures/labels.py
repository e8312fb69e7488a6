"""What was said of predictions afterwards, one value each: their labels, or the numbers of one metric.

The first value of a prediction stands; one that contradicts it is put into quarantine. Durable on return. Not
safe for threads: the owner holds the lock.
"""

import math
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from sys import intern
from typing import Any, NamedTuple, cast

import pyarrow as pa

from lifecycle.adapters.captures.segments import Segments
from lifecycle.core.learning.feedback import Label, sort
from lifecycle.ports import LabelReceipt


class _Said(NamedTuple):
    """By whom, when it came, and when its prediction was made. Unix seconds."""

    source: str
    came: float
    made: float


class LabelBook:
    """One model's labels, or the numbers of one of its metrics. All that stand are in memory.

    Args:
        stands: folder of the values that stand.
        quarantine: folder of those that are put aside.
        horizon_s: how long after its prediction a value still counts.
    """

    def __init__(self, stands: Path, quarantine: Path, horizon_s: float = math.inf) -> None:
        self._horizon_s = horizon_s
        self._stands = Segments(stands, durable=True)
        self._quarantine = Segments(quarantine, durable=True)
        self._values: dict[str, Label] = {}
        self._said: dict[str, _Said] = {}
        for segment in self._stands.all:
            table = segment.read()
            ids = _ids(table)
            self._values.update(zip(ids, _labels(table), strict=True))
            came = cast("list[float]", table["at"].to_pylist())
            sources, made = _column(table, "source", [""] * len(ids)), _column(table, "made_at", came)
            said = map(_Said, map(intern, sources), came, made)
            self._said.update(zip(ids, said, strict=True))

    def __len__(self) -> int:
        return len(self._values)

    def table(self) -> pa.Table:
        """Columns `prediction_id` and `label`, its `source`, when it `came`, and when the prediction was
        `made`: if that was not known by then, when the label came.

        Classes may be called 1, 2 and A, and a batch of the first two alone reads as numbers: numbers beside
        words are given as words.
        """
        said = [self._said[prediction] for prediction in self._values]
        sources, came, made = zip(*said, strict=True) if said else ((), (), ())
        return pa.table(
            {
                "prediction_id": array(list(self._values)),
                "label": array(_of_one_type(list(self._values.values()))),
                "source": pa.array(sources, pa.string()),
                "came": pa.array(came, pa.float64()),
                "made": pa.array(made, pa.float64()),
            }
        )

    def forget(self, before: float) -> None:
        """Drop what was received before a time, Unix seconds: predictions that it was said of are gone."""
        while self._stands.all and self._stands.all[0].newest < before:
            for prediction in _ids(self._stands.all[0].read()):
                self._values.pop(prediction, None)
                self._said.pop(prediction, None)
            self._stands.drop_oldest()
        while self._quarantine.all and self._quarantine.all[0].newest < before:
            self._quarantine.drop_oldest()

    def add(
        self,
        labels: pa.Table,
        received_at: float,
        source: str,
        made_at: Callable[[Sequence[str]], Mapping[str, float]],
    ) -> LabelReceipt:
        """Take in a batch; durable on return.

        Args:
            labels: columns `prediction_id` (string) and `label` (numbers or words), without nulls, and
                maybe `at`, when each became known: a null, or no column, stands for now.
            received_at: when the batch came, Unix seconds.
            source: who sent it.
            made_at: when predictions were made, Unix seconds, of those of some ids that have been captured.
        """
        ids, values = _ids(labels), _labels(labels)
        said_at = labels["at"].to_pylist() if "at" in labels.column_names else [None] * len(ids)
        known = made_at(ids)
        made = [known.get(prediction, received_at) for prediction in ids]
        fates = sort(
            ids,
            values,
            said_at,
            now=received_at,
            standing=self._values,
            made_at=known,
            horizon_s=self._horizon_s,
        )
        stamped = labels.select(["prediction_id", "label"])
        stamped = stamped.add_column(0, "at", pa.array([received_at] * len(ids), pa.float64()))
        stamped = stamped.append_column("source", pa.array([source] * len(ids), pa.string()))
        stamped = stamped.append_column("made_at", pa.array(made, pa.float64()))
        if fates.aside:
            self._quarantine.write(stamped.take(pa.array(fates.aside)))
        if fates.fresh:
            self._stands.write(stamped.take(pa.array(fates.fresh)))
            self._values.update((ids[position], values[position]) for position in fates.fresh)
            who = intern(source)
            self._said.update((ids[at], _Said(who, received_at, made[at])) for at in fates.fresh)
        duplicate, conflicting, unknown = map(len, (fates.duplicate, fates.conflicting, fates.unknown))
        return LabelReceipt(fates.joined, duplicate, conflicting, unknown, len(fates.early), len(fates.late))


def array(values: list[Any]) -> "pa.Array[Any]":
    return pa.array(values) if values else pa.array([], pa.string())


def _of_one_type(values: list[Label]) -> list[Label]:
    if len({isinstance(value, str) for value in values}) < 2:
        return values
    return [
        str(int(value)) if isinstance(value, float) and value.is_integer() else str(value) for value in values
    ]


def _ids(table: pa.Table) -> list[str]:
    return cast("list[str]", table["prediction_id"].to_pylist())


def _labels(table: pa.Table) -> list[Label]:
    return cast("list[Label]", table["label"].to_pylist())


def _column(table: pa.Table, name: str, otherwise: list[Any]) -> list[Any]:
    """Its values; labels that were stored before there was such a column have what they would have had."""
    if name not in table.column_names:
        return otherwise
    return [
        old if value is None else value for value, old in zip(table[name].to_pylist(), otherwise, strict=True)
    ]
