"""Immutable Parquet files in one folder, in the order of writing, merged as small ones pile up.

A file's name says which writes it holds (`first-last.parquet`), so a merge that a crash left half done
is seen and put right. Must never show a file that is not complete.
"""

import logging
import os
from base64 import b64decode, b64encode
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import cast

import pyarrow as pa
import pyarrow.parquet as pq

from lifecycle.adapters.captures.id_filter import IdFilter

log = logging.getLogger(__name__)

ROLL_ROWS = 50_000
"""A file of this many rows is not merged again."""
FAN_IN = 16
"""So many small files at the end are merged into one."""
_IDS = "headrace.ids"
"""Under this key a file's footer has the filter of its ids, in Base64."""


@dataclass(frozen=True, slots=True)
class Segment:
    """One complete file: the writes `first` to `last`. Its rows are from `oldest` to `newest`, Unix seconds.

    `ids` tells which ids it may hold; None if it may hold any.
    """

    path: Path
    first: int
    last: int
    rows: int
    size: int
    oldest: float
    newest: float
    ids: IdFilter | None = None

    def may_hold(self, names: Iterable[str]) -> bool:
        """False only if none of these ids is in it."""
        return self.ids is None or any(name in self.ids for name in names)

    def open(self) -> pq.ParquetFile:
        """The file stays readable through this handle after a merge removes it."""
        return pq.ParquetFile(self.path)

    def read(self) -> pa.Table:
        with self.open() as file:
            return file.read()


class Segments:
    """One folder of segments. Not safe for threads: the owner holds the lock.

    Args:
        folder: made on the first write.
        durable: whether a write is on the disk when it returns, or may be lost with the machine.
        ids: the column whose texts segments can be asked for without reading them; empty for none.
    """

    def __init__(self, folder: Path, *, durable: bool, ids: str = "") -> None:
        self._folder = folder
        self._ids = ids
        self._durable = durable
        self.all: list[Segment] = _recover(folder)
        """Complete segments, oldest first."""

    @property
    def size(self) -> int:
        return sum(segment.size for segment in self.all)

    def between(self, since: float, until: float) -> list[Segment]:
        """Those that may hold rows of a time, Unix seconds."""
        return [segment for segment in self.all if segment.newest >= since and segment.oldest <= until]

    def write(self, table: pa.Table) -> None:
        """Append a table whose first column is `at` (float64). If it raises, nothing was appended."""
        number = self.all[-1].last + 1 if self.all else 0
        self.all.append(self._store(table, number, number))
        tail = [segment for segment in self.all[-FAN_IN:] if segment.rows < ROLL_ROWS]
        if len(tail) == FAN_IN:
            try:
                self._merge(tail)
            except (OSError, pa.ArrowException) as error:
                # A full disk, say. What was written stands all the same, and the next write tries again.
                log.warning("files in %s stay unmerged: %s", self._folder, error)

    def drop_oldest(self) -> Segment:
        """Forget the oldest segment and free its space."""
        oldest = self.all.pop(0)
        oldest.path.unlink(missing_ok=True)
        return oldest

    def _merge(self, tail: list[Segment]) -> None:
        joined = unify([segment.read() for segment in tail])
        if joined.num_rows < sum(segment.rows for segment in tail):
            return  # columns changed type between them: each keeps its own
        merged = self._store(joined, tail[0].first, tail[-1].last)
        self.all[-len(tail) :] = [merged]
        for segment in tail:
            segment.path.unlink(missing_ok=True)

    def _store(self, table: pa.Table, first: int, last: int) -> Segment:
        self._folder.mkdir(parents=True, exist_ok=True)
        path = self._folder / f"{first:012d}-{last:012d}.parquet"
        partial = path.with_suffix(".partial")
        try:
            self._fill(partial, table)
            partial.replace(path)
            if self._durable:
                _sync_folder(self._folder)
            return _describe(path)
        except OSError:  # on a full disk half a file would take what is left, and a whole one is not listed
            partial.unlink(missing_ok=True)
            path.unlink(missing_ok=True)
            raise

    def _fill(self, path: Path, table: pa.Table) -> None:
        with path.open("wb") as file:
            with pq.ParquetWriter(file, table.schema) as writer:
                writer.write_table(table)
                if self._ids:
                    held = IdFilter.of(cast("list[str]", table[self._ids].to_pylist()))
                    writer.add_key_value_metadata({_IDS: b64encode(held.bits).decode()})
            if self._durable:
                file.flush()
                os.fsync(file.fileno())


def unify(tables: list[pa.Table]) -> pa.Table:
    """One table of all rows; those whose columns cannot be read like the last table's are left out.

    Columns that only some tables have are null elsewhere; numbers widen.
    """
    joined = tables[-1]
    for table in reversed(tables[:-1]):
        try:
            joined = pa.concat_tables([table, joined], promote_options="permissive")
        except pa.ArrowException:
            continue
    return joined


def _recover(folder: Path) -> list[Segment]:
    """Read the folder as a crash may have left it: drop partial files and sources of a finished merge."""
    for partial in folder.glob("*.partial"):
        partial.unlink()
    found: list[Segment] = []
    for path in sorted(folder.glob("[0-9]*-[0-9]*.parquet"), key=_range):
        try:
            segment = _describe(path)
        except pa.ArrowException:
            path.replace(path.with_suffix(".unreadable"))  # torn by a power cut; kept for a person
            continue
        if found and segment.last <= found[-1].last:
            path.unlink()
        else:
            found.append(segment)
    return found


def _range(path: Path) -> tuple[int, int]:
    """Order by first write, the widest range first, so that a merge comes before its sources."""
    first, last = path.stem.split("-")
    return int(first), -int(last)


def _describe(path: Path) -> Segment:
    first, last = path.stem.split("-")
    with pq.ParquetFile(path) as file:
        metadata = file.metadata
        spans = [_span(metadata.row_group(group)) for group in range(metadata.num_row_groups)]
        oldest = min((oldest for oldest, _ in spans), default=float("inf"))
        newest = max((newest for _, newest in spans), default=float("-inf"))
        noted = (metadata.metadata or {}).get(_IDS.encode())  # a file of an older Headrace has none
        held = None if noted is None else IdFilter(b64decode(noted))
        rows, size = metadata.num_rows, path.stat().st_size
        return Segment(path, int(first), int(last), rows, size, oldest, newest, held)


def _span(group: pq.RowGroupMetaData) -> tuple[float, float]:
    """Its first and last `at`; all of time where the file does not say."""
    statistics = group.column(0).statistics
    if statistics is None or not statistics.has_min_max:
        return float("-inf"), float("inf")
    return cast("tuple[float, float]", (statistics.min, statistics.max))


def _sync_folder(folder: Path) -> None:
    """Make a rename survive a power cut."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
