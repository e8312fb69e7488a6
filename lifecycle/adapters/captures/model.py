"""One model's captures, labels and numbers: what waits in memory, and the files behind it.

Not safe for threads: the owner holds the lock.
"""

import logging
from collections.abc import Sequence
from pathlib import Path
from typing import cast
from urllib.parse import quote, unquote

import pyarrow as pa
import pyarrow.compute as pc

from gateway.core.types import Role
from lifecycle.adapters.captures.labels import LabelBook
from lifecycle.adapters.captures.rows import Rows, to_table
from lifecycle.adapters.captures.segments import Segments
from lifecycle.errors import LifecycleCode, LifecycleError

log = logging.getLogger(__name__)

PRIMARY = (Role.CHAMPION, Role.CANARY, Role.PINNED)
"""Roles whose answer the caller saw."""
MOST_METRICS = 50
"""Of one model: a caller that makes up a name for each number must not fill the memory."""


class ModelCaptures:
    """One model's captures, labels and numbers."""

    def __init__(self, folder: Path, horizon_s: float) -> None:
        self._horizon_s = horizon_s
        self.captures = Segments(folder / "captures", durable=False, ids="prediction_id")
        self.labels = LabelBook(folder / "labels", folder / "quarantine", horizon_s)
        self._numbers = folder / "metrics"
        self.metrics: dict[str, LabelBook] = {}
        for kept in self._numbers.glob("*"):
            self.book(unquote(kept.name))
        self._recent: dict[str, float] = {}  # when each prediction was made, by id
        self._parts: dict[object, list[Rows]] = {}
        self.since = 0.0
        """When the first buffered prediction was made."""
        self.buffered = 0

    def add(self, rows: Rows, recent: int) -> None:
        """`recent`: so many of the latest ids are kept in memory."""
        if not self.buffered:
            self.since = rows.at[0]
        self._parts.setdefault(rows.layout, []).append(rows)
        self.buffered += len(rows.ids)
        if rows.role in PRIMARY:
            self._recent.update(zip(rows.ids, rows.at, strict=True))
        for _ in range(len(self._recent) - recent):
            del self._recent[next(iter(self._recent))]

    def waiting(self, names: Sequence[str]) -> bool:
        """Whether one of these ids is still in memory only."""
        return any(name in rows.ids for parts in self._parts.values() for rows in parts for name in names)

    def tables(self) -> list[pa.Table]:
        return [to_table(parts) for parts in self._parts.values()]

    def flush(self, keep_bytes: int) -> None:
        """Write what is buffered. What the disk does not take is lost: it must not fill the memory."""
        for table in self.tables():
            try:
                self.captures.write(table)
            except OSError as error:
                log.error("%d captures are lost: %s", table.num_rows, error)
        self._parts.clear()
        self.buffered = 0
        while self.captures.size > keep_bytes and len(self.captures.all) > 1:
            self.captures.drop_oldest()

    def forget(self, before: float) -> None:
        """Drop files of captures, labels and numbers with nothing in them since a time, Unix seconds."""
        while self.captures.all and self.captures.all[0].newest < before:
            self.captures.drop_oldest()
        for book in (self.labels, *self.metrics.values()):
            book.forget(before)

    def book(self, metric: str) -> LabelBook:
        """A metric's numbers; without a name, the labels. Raises LifecycleError INVALID for too many."""
        if not metric:
            return self.labels
        if metric not in self.metrics:
            if len(self.metrics) >= MOST_METRICS:
                message = f"a model has at most {MOST_METRICS} metrics; {metric!r} would be one more"
                raise LifecycleError(LifecycleCode.INVALID, message)
            folder = self._numbers / quote(metric, safe="")
            self.metrics[metric] = LabelBook(folder / "values", folder / "quarantine", self._horizon_s)
        return self.metrics[metric]

    def made_at(self, ids: Sequence[str]) -> dict[str, float]:
        """When predictions were made, Unix seconds; of those that have been captured."""
        found = {prediction: self._recent[prediction] for prediction in ids if prediction in self._recent}
        missing = set(ids) - found.keys()
        for segment in reversed(self.captures.all):
            if not missing:
                break
            if not segment.may_hold(missing):
                continue
            with segment.open() as file:
                table = file.read(["prediction_id", "at"])
            here = table.filter(pc.is_in(table["prediction_id"], value_set=pa.array(sorted(missing))))
            found.update(zip(_ids(here), cast("list[float]", here["at"].to_pylist()), strict=True))
            missing -= found.keys()
        return found


def _ids(table: pa.Table) -> list[str]:
    return cast("list[str]", table["prediction_id"].to_pylist())
