"""A file of labels as a table. It comes from outside: what it unpacks to is bounded before it takes room."""

import csv
import io
import re
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv
import pyarrow.parquet as pq
from pyarrow import types

from lifecycle.core.analysis.metrics import PREFIX
from lifecycle.errors import LifecycleCode, LifecycleError

COLUMNS = ("prediction_id", "label")
MOST_BYTES = 256 << 20
"""Unpacked."""
MOST_COLUMNS = 1_000
MOST_NAMES = 128 << 10
"""Bytes of the names of all columns of a CSV file."""
PARQUET_MAGIC = b"PAR1"
_NAMES = re.compile(rb"[\r\n]*([^\r\n]*)")
_SHORT = (
    *(types.is_boolean, types.is_integer, types.is_floating, types.is_decimal, types.is_null),
    *(types.is_timestamp, types.is_date, types.is_time, types.is_duration),
)
_TEXTS = (types.is_string, types.is_large_string, types.is_binary, types.is_large_binary)


def read_labels(data: bytes) -> pa.Table:
    """The columns of a Parquet or CSV file's bytes that tell something; all, without rows, if none does.

    Raises LifecycleError INVALID for any other file, and for one that unpacks to more than `MOST_BYTES`.
    """
    try:
        return _parquet(data) if data.startswith(PARQUET_MAGIC) else _csv(data)
    except (pa.ArrowException, ValueError, OSError, csv.Error):
        message = "the labels can be read neither as Parquet nor as CSV; JSON goes to POST /v1/feedback"
        raise _invalid(message) from None


def _csv(data: bytes) -> pa.Table:
    # Every column costs kilobytes, however short and whether or not it is read.
    found = _NAMES.match(data)
    line = found[1] if found else b""
    if len(line) > MOST_NAMES:
        raise _invalid(f"the first line, of the columns' names, has more than {MOST_NAMES >> 10} KiB")
    names = next(csv.reader([line.decode("utf-8-sig", "replace")]), [])
    if not (wanted := _wanted(names)):
        return pa.schema([(name, pa.string()) for name in names]).empty_table()
    options = pyarrow.csv.ConvertOptions(column_types={"prediction_id": pa.string()}, include_columns=wanted)
    return pyarrow.csv.read_csv(io.BytesIO(data), convert_options=options)


def _parquet(data: bytes) -> pa.Table:
    """Texts are read as they are packed, each once: a few bytes may say one of a megabyte a million times."""
    schema = pq.read_schema(io.BytesIO(data))
    if not (wanted := _wanted(schema.names)):
        return schema.empty_table()
    for name in wanted:
        if not any(test(_values(schema.field(name))) for test in (*_SHORT, *_TEXTS)):
            raise _invalid(f"column {name!r} must hold one number, boolean or text in every row")
    texts = [name for name in wanted if any(test(_values(schema.field(name))) for test in _TEXTS)]
    file, groups, size = pq.ParquetFile(io.BytesIO(data), read_dictionary=texts), [], 0
    for index in range(file.num_row_groups):
        size += file.metadata.row_group(index).num_rows * len(wanted) * 8
        if size > MOST_BYTES:  # before it is read
            raise _too_large()
        group = file.read_row_group(index, columns=wanted)
        size += group.nbytes + sum(_text_bytes(group[name]) for name in texts)
        if size > MOST_BYTES:
            raise _too_large()
        groups.append(pa.table({name: _plain(group[name]) for name in group.column_names}))
    return pa.concat_tables(groups) if groups else schema.empty_table()


def _wanted(names: list[str]) -> list[str]:
    """Those that say something of predictions; none where it cannot be told of which, or nothing is said."""
    values = [name for name in names if name.startswith(PREFIX) or name == "label"]
    if "prediction_id" not in names or not values:
        return []
    if len(values) > MOST_COLUMNS:
        raise _invalid(f"more than {MOST_COLUMNS} columns of labels and metrics at once; send them in parts")
    wanted = [name for name in names if name in values or name in ("prediction_id", "at")]
    if twice := next((name for name in wanted if names.count(name) > 1), ""):
        raise _invalid(f"column {twice!r} stands in it twice")
    return wanted


def _values(column: "pa.Field[Any]") -> pa.DataType:
    """What its rows hold, packed or not."""
    kind: pa.DataType = column.type
    return kind.value_type if isinstance(kind, pa.DictionaryType) else kind


def _text_bytes(column: "pa.ChunkedArray[Any]") -> int:
    """Of a column of packed texts once every row has its own."""
    parts: list[Any] = column.chunks
    lengths = (pc.binary_length(part.dictionary).take(part.indices) for part in parts)
    return sum(pc.sum(each.cast(pa.int64())).as_py() or 0 for each in lengths)


def _plain(column: "pa.ChunkedArray[Any]") -> "pa.ChunkedArray[Any]":
    if not isinstance(column.type, pa.DictionaryType):
        return column
    return column.cast(column.type.value_type)


def _too_large() -> LifecycleError:
    return _invalid(f"more than {MOST_BYTES >> 20} MiB of labels at once, unpacked; send them in parts")


def _invalid(message: str) -> LifecycleError:
    return LifecycleError(LifecycleCode.INVALID, message)
