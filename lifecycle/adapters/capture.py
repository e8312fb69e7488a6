"""Predictions kept whole and the labels that come for them, as Parquet files per model.

A crash loses at most the captures still in the buffer, never a label that was acknowledged.
Layout: `model=<name>/{captures,labels,quarantine}/<first>-<last>.parquet`.
"""

import threading
from collections.abc import Callable, Collection, Iterable, Sequence
from pathlib import Path
from typing import Any, cast
from urllib.parse import quote, unquote

import pyarrow as pa
import pyarrow.compute as pc

from gateway.core.capture import Capture
from gateway.core.types import Array, Role
from lifecycle.adapters.origin import OUTPUTS, origin_of
from lifecycle.adapters.segments import Segments, unify
from lifecycle.core.feedback import Label, sort
from lifecycle.ports import LabelReceipt, Origin
from lifecycle.tensors import to_column

PRIMARY = (Role.CHAMPION, Role.CANARY, Role.PINNED)
"""Roles whose answer the caller saw."""
RECENT_IDS = 200_000
"""So many of the latest prediction ids are kept in memory; older ones are looked up in their files."""

_KEYS = ("at", "prediction_id", "version", "role")
_COLUMNS: dict[str, pa.DataType] = {
    "prediction_id": pa.string(),
    "at": pa.float64(),
    "version": pa.int64(),
    "role": pa.string(),
    "label": pa.null(),
}


class ParquetCaptures:
    """The capture log. Safe for threads; one process writes a folder at a time.

    A request of several rows is kept as several: row i of prediction `p` has the id `p/i`, and is
    labelled by it. Tensors lose their batch dimension and keep the rest of their shape.

    Args:
        buffer_rows: rows of a model that wait in memory before they are written,
        buffer_s: for this long at most while more come.
        keep_bytes: captures of a model beyond this are dropped, oldest first.
    """

    def __init__(
        self, root: Path, *, buffer_rows: int = 2_000, buffer_s: float = 30.0, keep_bytes: int = 2 << 30
    ) -> None:
        self._root = root
        self._buffer_rows = buffer_rows
        self._buffer_s = buffer_s
        self._keep_bytes = keep_bytes
        self._lock = threading.Lock()
        self._logs: dict[str, _ModelLog] = {}
        for folder in root.glob("model=*"):
            self._log(unquote(folder.name.removeprefix("model=")))

    def append(self, captures: Iterable[Capture]) -> None:
        with self._lock:
            touched = set()
            for capture in captures:
                self._log(capture.model).add(capture)
                touched.add(capture.model)
            for model in touched:
                log = self._logs[model]
                if log.buffered >= self._buffer_rows or log.spread_s >= self._buffer_s:
                    log.flush(self._keep_bytes)

    def flush(self) -> None:
        """Write what is buffered; called before the process ends."""
        with self._lock:
            for log in self._logs.values():
                log.flush(self._keep_bytes)

    def label(self, model: str, labels: pa.Table, received_at: float) -> LabelReceipt:
        """Add labels: `prediction_id` (string) and `label` (one type per model), without nulls."""
        with self._lock:
            return self._log(model).label(labels, received_at)

    def labelled(
        self, model: str, since: float = 0.0, *, inputs: bool = True, roles: Collection[Role] = PRIMARY
    ) -> pa.Table:
        """Predictions made at or after `since` that have a label, oldest first.

        Args:
            inputs: whether to read the input tensors, which are most of the bytes.
            roles: whose predictions; shadows only when asked.
        """
        with self._lock:
            labels = self._log(model).labels
            ids, truth = _array(list(labels)), _array(list(labels.values()))
        # A merge may remove files meanwhile; open ones stay readable, so the slow part holds no lock.
        joined = self._read(model, since, roles, lambda name: inputs or not name.startswith("inputs."), ids)
        if joined is None:
            return pa.schema(_COLUMNS).empty_table()
        position = pc.index_in(joined["prediction_id"], value_set=ids)
        names = ["prediction_id", "at", "version", "role"]
        names += [name for name in joined.column_names if name not in _KEYS]
        return joined.select(names).append_column("label", pc.take(truth, position))

    def made(self, model: str, since: float = 0.0) -> pa.Table:
        """Columns at and version of every captured prediction, labelled or not, without shadows."""
        found = self._read(model, since, PRIMARY, lambda _: False)
        empty = pa.schema({name: _COLUMNS[name] for name in ("at", "version")}).empty_table()
        return empty if found is None else found.select(["at", "version"])

    def find(self, prediction: str) -> Origin | None:
        """What gave an answer, and a shadow's beside it; None if it was not captured. Of several rows, the
        first one's."""
        ids = _array([prediction, f"{prediction}/0"])
        with self._lock:
            models = list(self._logs)
        for model in models:
            rows = self._read(model, 0.0, tuple(Role), lambda name: name.startswith(OUTPUTS), ids)
            if rows is not None and (origin := origin_of(model, rows)):
                return origin
        return None

    def _read(
        self,
        model: str,
        since: float,
        roles: Collection[Role],
        wanted: Callable[[str], bool],
        ids: "pa.Array[Any] | None" = None,
    ) -> pa.Table | None:
        """Rows of the files and of the buffer, oldest first, with the key columns and the wanted ones."""
        with self._lock:
            log = self._log(model)
            files = [segment.open() for segment in log.captures.all if segment.newest >= since]
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
        """Labels that stand."""
        with self._lock:
            return len(self._log(model).labels)

    def _log(self, model: str) -> "_ModelLog":
        if model not in self._logs:
            self._logs[model] = _ModelLog(self._root / f"model={quote(model, safe='')}")
        return self._logs[model]


class _ModelLog:
    """One model's captures, labels and quarantine."""

    def __init__(self, folder: Path) -> None:
        self.captures = Segments(folder / "captures", durable=False)
        self._labels = Segments(folder / "labels", durable=True)
        self._quarantine = Segments(folder / "quarantine", durable=True)
        self.labels: dict[str, Label] = {}
        for segment in self._labels.all:
            table = segment.read()
            self.labels.update(zip(_ids(table), _labels(table), strict=True))
        self._recent: dict[str, None] = {}
        self._rows: dict[tuple[tuple[str, int, str], ...], list[_Row]] = {}
        self._since = self._until = 0.0
        self.buffered = 0

    @property
    def spread_s(self) -> float:
        """Time between the first and the last buffered prediction."""
        return self._until - self._since

    def add(self, capture: Capture) -> None:
        self._until = capture.at
        if not self.buffered:
            self._since = capture.at
        for row in _split(capture):
            layout = tuple((name, array.ndim, array.dtype.str) for name, array in row.tensors)
            self._rows.setdefault(layout, []).append(row)
            self.buffered += 1
            if capture.role in PRIMARY:
                self._recent[row.id] = None
        while len(self._recent) > RECENT_IDS:
            del self._recent[next(iter(self._recent))]

    def tables(self) -> list[pa.Table]:
        return [_to_table(rows) for rows in self._rows.values()]

    def flush(self, keep_bytes: int) -> None:
        for table in self.tables():
            self.captures.write(table)
        self._rows.clear()
        self.buffered = 0
        self._since = self._until
        while self.captures.size > keep_bytes and len(self.captures.all) > 1:
            self.captures.drop_oldest()

    def label(self, labels: pa.Table, received_at: float) -> LabelReceipt:
        ids, values = _ids(labels), _labels(labels)
        fates = sort(ids, values, self.labels, self._known(ids))
        stamped = labels.select(["prediction_id", "label"]).add_column(
            0, "at", pa.array([received_at] * len(ids), pa.float64())
        )
        if fates.conflicting:
            self._quarantine.write(stamped.take(pa.array(fates.conflicting)))
        if fates.fresh:
            self._labels.write(stamped.take(pa.array(fates.fresh)))
            self.labels.update((ids[position], values[position]) for position in fates.fresh)
        return LabelReceipt(fates.joined, len(fates.duplicate), len(fates.conflicting), len(fates.unknown))

    def _known(self, ids: Sequence[str]) -> set[str]:
        missing = {prediction for prediction in ids if prediction not in self._recent}
        for segment in reversed(self.captures.all):
            if not missing:
                break
            with segment.open() as file:
                missing.difference_update(_ids(file.read(["prediction_id"])))
        return set(ids) - missing


class _Row:
    """One row of a capture. Not a dataclass: several hundred are made in a second."""

    __slots__ = ("at", "id", "role", "tensors", "version")

    def __init__(self, id: str, capture: Capture, tensors: list[tuple[str, Array]]) -> None:
        self.id = id
        self.at = capture.at
        self.version = capture.version
        self.role = capture.role
        self.tensors = tensors


def _split(capture: Capture) -> list[_Row]:
    """A capture's rows. Tensors that do not share a batch dimension stay whole, as one row."""
    whole = [(f"inputs.{name}", array) for name, array in capture.inputs.items()]
    whole += [(f"outputs.{name}", array) for name, array in capture.outputs.items()]
    lengths = {array.shape[0] if array.ndim else -1 for _, array in whole}
    if len(lengths) != 1 or lengths == {-1}:
        return [_Row(capture.prediction_id, capture, whole)]
    (length,) = lengths
    if length == 1:
        return [_Row(capture.prediction_id, capture, [(name, array[0, ...]) for name, array in whole])]
    return [
        _Row(f"{capture.prediction_id}/{i}", capture, [(name, array[i, ...]) for name, array in whole])
        for i in range(length)
    ]


def _to_table(rows: Sequence[_Row]) -> pa.Table:
    columns: dict[str, pa.Array[Any]] = {
        "at": pa.array([row.at for row in rows], pa.float64()),
        "prediction_id": pa.array([row.id for row in rows], pa.string()),
        "version": pa.array([row.version for row in rows], pa.int64()),
        "role": pa.array([row.role.value for row in rows], pa.string()),
    }
    for i, (name, _) in enumerate(rows[0].tensors):
        columns[name] = to_column([row.tensors[i][1] for row in rows])
    return pa.table(columns)


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


def _ids(table: pa.Table) -> list[str]:
    return cast("list[str]", table["prediction_id"].to_pylist())


def _labels(table: pa.Table) -> list[Label]:
    return cast("list[Label]", table["label"].to_pylist())


def _array(values: list[Any]) -> "pa.Array[Any]":
    return pa.array(values) if values else pa.array([], pa.string())
