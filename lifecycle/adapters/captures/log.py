"""Predictions kept whole and what is said of them afterwards, as Parquet files per model.

A crash loses at most the captures still in the buffer, never a label that was acknowledged.
Layout: `model=<name>/{captures,labels,quarantine}/<first>-<last>.parquet`, and
`model=<name>/metrics/<metric>/{values,quarantine}/…` for the numbers of business metrics.
"""

import math
import threading
import time
from collections.abc import Callable, Collection, Iterable, Sequence
from itertools import chain, islice
from pathlib import Path
from typing import Any, cast
from urllib.parse import quote, unquote

import pyarrow as pa
import pyarrow.compute as pc

from gateway.core.capture import CaptureBlock
from gateway.core.types import Role
from lifecycle.adapters.captures.labels import array
from lifecycle.adapters.captures.model import PRIMARY, ModelCaptures
from lifecycle.adapters.captures.origin import OUTPUTS, origin_of
from lifecycle.adapters.captures.rows import rows_of
from lifecycle.adapters.captures.segments import unify
from lifecycle.ports import LabelReceipt, Origin

SPLIT = (Role.CHAMPION, Role.CANARY)
"""Of these, the ones whose version was drawn and not asked for."""
RECENT_IDS = 200_000
"""So many of a model's latest prediction ids are kept in memory; older ones are looked up in their files."""
WAIT_S = 600.0
"""So long after its prediction a capture may be written, or a label have come before it was known here."""
MOST_RECENT_IDS = 500_000
"""The same of all models together."""
MOST_WRITES = 8
"""Models written by one `append` because they waited long. With a thousand models they would else be due at
once and take more than a second, for which labels wait."""

_KEYS = ("at", "prediction_id", "version", "role")
_COLUMNS: dict[str, pa.DataType] = {
    "prediction_id": pa.string(),
    "at": pa.float64(),
    "version": pa.int64(),
    "role": pa.string(),
    "label": pa.null(),
    "source": pa.string(),
}


class ParquetCaptures:
    """The capture log. Safe for threads; one process writes a folder at a time.

    A request of several rows is kept as several: row i of prediction `p` has the id `p/i`, and is
    labelled by it. Tensors lose their batch dimension and keep the rest of their shape.

    Args:
        buffer_rows: how many rows of a model wait in memory before they are written.
        buffer_s: how long they wait at most while more come; longer while many models take turns.
        keep_bytes: how much is kept of each model's captures; the oldest are dropped.
        keep_total_bytes: how much is kept of all; the model that takes the most loses its oldest.
        keep_s: how long captures, labels and numbers are kept; older ones go with the next write.
        horizon_s: how long after its prediction a label still counts.
    """

    def __init__(
        self,
        root: Path,
        *,
        buffer_rows: int = 2_000,
        buffer_s: float = 30.0,
        keep_bytes: int = 2 << 30,
        keep_total_bytes: int = 20 << 30,
        keep_s: float = math.inf,
        horizon_s: float = math.inf,
    ) -> None:
        self._horizon_s = horizon_s
        self._root = root
        self._buffer_rows = buffer_rows
        self._buffer_s = buffer_s
        self._keep_bytes = keep_bytes
        self._keep_total_bytes = keep_total_bytes
        self._keep_s = keep_s
        self._lock = threading.Lock()
        self._logs: dict[str, ModelCaptures] = {}
        self._waiting: dict[str, ModelCaptures] = {}  # with something buffered, the longest first
        for folder in root.glob("model=*"):
            self._log(unquote(folder.name.removeprefix("model=")))

    def append(self, blocks: Iterable[CaptureBlock]) -> None:
        newest = 0.0
        with self._lock:
            for block in blocks:
                rows, log = rows_of(block), self._log(block.model)
                if rows.ids:
                    log.add(rows, min(RECENT_IDS, MOST_RECENT_IDS // len(self._logs)))
                    self._waiting[block.model] = log
                    newest = max(newest, rows.at[-1])
            full = [name for name, log in self._waiting.items() if log.buffered >= self._buffer_rows]
            old = (name for name, log in self._waiting.items() if newest - log.since >= self._buffer_s)
            due = {*full, *islice(old, MOST_WRITES)}
            for name in due:
                self._waiting.pop(name).flush(self._keep_bytes)
            if due:
                self._make_room(min(newest, time.time()))  # a worker's clock may be years ahead

    def _make_room(self, now: float) -> None:
        for log in self._logs.values():
            log.forget(now - self._keep_s)
        logs = [log.captures for log in self._logs.values()]
        excess = sum(log.size for log in logs) - self._keep_total_bytes
        while excess > 0:  # a quiet model loses nothing to a busy one
            excess -= max(logs, key=lambda log: log.size).drop_oldest().size

    def flush(self) -> None:
        """Write what is buffered; called before the process ends."""
        with self._lock:
            for log in self._waiting.values():
                log.flush(self._keep_bytes)
            self._waiting.clear()

    def label(
        self, model: str, labels: pa.Table, received_at: float, metric: str = "", source: str = ""
    ) -> LabelReceipt:
        """Add labels: `prediction_id` (string) and `label` (numbers or words), and maybe `at`."""
        with self._lock:
            log = self._log(model)
            return log.book(metric).add(labels, received_at, source, log.made_at)

    def labelled(
        self,
        model: str,
        since: float = 0.0,
        *,
        came_since: float = 0.0,
        inputs: bool = True,
        roles: Collection[Role] = PRIMARY,
    ) -> pa.Table:
        """Predictions made at or after `since` whose label came at or after `came_since`, oldest first.

        The input tensors are most of the bytes. Shadows come only when asked for.
        """
        with self._lock:
            labels = self._log(model).labels.table()
        labels, begun, until = _come(labels, came_since)
        since = max(since, begun)
        ids = labels["prediction_id"].combine_chunks()
        # A merge may remove files meanwhile; open ones stay readable, so the slow part holds no lock.
        joined = self._read(
            model, since, roles, lambda name: inputs or not name.startswith("inputs."), ids, until=until
        )
        if joined is None:
            return pa.schema(_COLUMNS).empty_table()
        position = pc.index_in(joined["prediction_id"], value_set=ids)
        names = ["prediction_id", "at", "version", "role"]
        names += [name for name in joined.column_names if name not in _KEYS]
        said = {"label": "label", "source": "source", "labelled_at": "came"}
        labelled = joined.select(names)
        for name, column in said.items():
            labelled = labelled.append_column(name, pc.take(labels[column], position))
        return labelled

    def made(self, model: str, since: float = 0.0, *, tensors: bool = False) -> pa.Table:
        """Columns at and version, and its tensors, of every captured prediction, without shadows."""
        found = self._read(model, since, PRIMARY, lambda _: tensors)
        found = pa.schema(_COLUMNS).empty_table() if found is None else found
        return found if tensors else found.select(["at", "version"])

    def numbers(self, model: str, *, came_since: float = 0.0) -> dict[str, pa.Table]:
        """By metric, columns at, version, value and came of the predictions that were drawn and have a number
        that came at or after `came_since`."""
        with self._lock:
            books = {name: book.table() for name, book in self._log(model).metrics.items()}
        found = {}
        for name, told in books.items():
            book, since, until = _come(told, came_since)
            ids = book["prediction_id"].combine_chunks()
            rows = self._read(model, since, SPLIT, lambda _: False, ids, until=until)
            if rows is not None and rows.num_rows:
                position = pc.index_in(rows["prediction_id"], value_set=ids)
                found[name] = rows.select(["at", "version"])
                for column, said in (("value", "label"), ("came", "came")):
                    found[name] = found[name].append_column(column, pc.take(book[said], position))
        return found

    def first(self, model: str, version: int, rows: int) -> pa.Table:
        """Of what is still kept, the first so many predictions of a version as champion, oldest first."""
        with self._lock:
            log = self._log(model)
            files, buffered = [segment.open() for segment in log.captures.all], log.tables()
        found: list[pa.Table] = []
        for table in chain((file.read() for file in files), buffered):
            own = pc.and_(
                pc.equal(table["version"], pa.scalar(version)), _mask(table, 0.0, (Role.CHAMPION,), None)
            )
            found.append(table.filter(own))
            if sum(part.num_rows for part in found) >= rows:
                break
        for file in files:
            file.close()
        kept = [part for part in found if part.num_rows]
        return unify(kept).sort_by("at").slice(0, rows) if kept else pa.schema(_COLUMNS).empty_table()

    def find(self, prediction: str) -> Origin | None:
        """What gave an answer, and a shadow's beside it; None if it was not captured. Of several rows, the
        first one's."""
        names = [prediction, f"{prediction}/0"]
        with self._lock:
            logs = [(model, log.waiting(names), tuple(log.captures.all)) for model, log in self._logs.items()]
        for model, waiting, segments in logs:
            if not waiting and not any(segment.may_hold(names) for segment in segments):
                continue
            outputs = self._read(model, 0.0, tuple(Role), _is_output, array(names), names)
            if outputs is not None and (origin := origin_of(model, outputs)):
                return origin
        return None

    def _read(
        self,
        model: str,
        since: float,
        roles: Collection[Role],
        wanted: Callable[[str], bool],
        ids: "pa.Array[Any] | None" = None,
        few: Sequence[str] | None = None,
        until: float = math.inf,
    ) -> pa.Table | None:
        """Rows of the files and of the buffer, oldest first, with the key columns and the wanted ones.

        Args:
            few: the same as `ids`, if they are so few that most files hold none of them.
            until: files that begin after this time are left out.
        """
        with self._lock:
            log = self._log(model)
            segments = log.captures.between(since, until)
            files = [segment.open() for segment in segments if few is None or segment.may_hold(few)]
            found = log.tables()
        found = [_only(table, wanted).filter(_mask(table, since, roles, ids)) for table in found]
        for file in reversed(files):
            with file:
                mask = _mask(file.read(list(_KEYS)), since, roles, ids)
                if pc.any(mask).as_py():
                    names = [name for name in file.schema_arrow.names if name in _KEYS or wanted(name)]
                    found.insert(0, file.read(names).filter(mask))
        return unify(found).sort_by("at") if found else None

    def labels_count(self, model: str) -> int:
        """Labels and numbers that stand."""
        # Without the lock, which a write to a slow disk holds: the control loop asks this of every model.
        log = self._logs.get(model)
        return len(log.labels) + sum(map(len, [*log.metrics.values()])) if log else 0

    def _log(self, model: str) -> "ModelCaptures":
        if model not in self._logs:
            folder = self._root / f"model={quote(model, safe='')}"
            self._logs[model] = ModelCaptures(folder, self._horizon_s)
        return self._logs[model]


def _come(book: pa.Table, since: float) -> tuple[pa.Table, float, float]:
    """What of a book came since a time, and from when until when its predictions may have been made."""
    if not since:
        return book, 0.0, math.inf
    book = book.filter(pc.greater_equal(book["came"], pa.scalar(since)))
    made = cast("list[float]", book["made"].to_pylist())
    return book, min(made, default=0.0) - WAIT_S, max(made, default=0.0) + WAIT_S


def _is_output(column: str) -> bool:
    return column.startswith(OUTPUTS)


def _only(table: pa.Table, wanted: Callable[[str], bool]) -> pa.Table:
    return table.select([name for name in table.column_names if name in _KEYS or wanted(name)])


def _mask(
    table: pa.Table, since: float, roles: Collection[Role], ids: "pa.Array[Any] | None"
) -> "pa.ChunkedArray[Any]":
    asked = pa.array([role.value for role in roles], pa.string())
    mask = pc.and_(pc.greater_equal(table["at"], pa.scalar(since)), pc.is_in(table["role"], value_set=asked))
    if ids is not None:
        mask = pc.and_(mask, pc.is_in(table["prediction_id"], value_set=ids))
    return cast("pa.ChunkedArray[Any]", mask)
