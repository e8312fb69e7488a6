"""What was said of predictions afterwards, one value each: their labels, or the numbers of one metric.

The first value of a prediction stands; one that contradicts it is put into quarantine. Durable on return. Not
safe for threads: the owner holds the lock.
"""

from collections.abc import Callable, Collection, Sequence
from pathlib import Path
from typing import Any, cast

import pyarrow as pa

from lifecycle.adapters.segments import Segments
from lifecycle.core.feedback import Label, sort
from lifecycle.ports import LabelReceipt


class LabelBook:
    """Args:
    stands: the folder of what stands,
    quarantine: and of what is put aside.
    """

    def __init__(self, stands: Path, quarantine: Path) -> None:
        self._stands = Segments(stands, durable=True)
        self._quarantine = Segments(quarantine, durable=True)
        self._values: dict[str, Label] = {}
        for segment in self._stands.all:
            table = segment.read()
            self._values.update(zip(_ids(table), _labels(table), strict=True))

    def __len__(self) -> int:
        return len(self._values)

    def columns(self) -> "tuple[pa.Array[Any], pa.Array[Any]]":
        """Prediction ids, and their values in the same order."""
        return array(list(self._values)), array(list(self._values.values()))

    def add(
        self, labels: pa.Table, received_at: float, known: Callable[[Sequence[str]], Collection[str]]
    ) -> LabelReceipt:
        """Args:
        labels: columns `prediction_id` (string) and `label` (one type per book), without nulls.
        known: those of some ids whose prediction has been captured.
        """
        ids, values = _ids(labels), _labels(labels)
        fates = sort(ids, values, self._values, known(ids))
        stamped = labels.select(["prediction_id", "label"]).add_column(
            0, "at", pa.array([received_at] * len(ids), pa.float64())
        )
        if fates.conflicting:
            self._quarantine.write(stamped.take(pa.array(fates.conflicting)))
        if fates.fresh:
            self._stands.write(stamped.take(pa.array(fates.fresh)))
            self._values.update((ids[position], values[position]) for position in fates.fresh)
        return LabelReceipt(fates.joined, len(fates.duplicate), len(fates.conflicting), len(fates.unknown))


def array(values: list[Any]) -> "pa.Array[Any]":
    return pa.array(values) if values else pa.array([], pa.string())


def _ids(table: pa.Table) -> list[str]:
    return cast("list[str]", table["prediction_id"].to_pylist())


def _labels(table: pa.Table) -> list[Label]:
    return cast("list[Label]", table["label"].to_pylist())
