"""Labels from outside: checked, spelled one way, and handed to the capture log."""

import io
import time
from collections.abc import Callable
from dataclasses import asdict
from typing import Any, cast

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv
import pyarrow.parquet as pq

from lifecycle.core.quota import Quota
from lifecycle.errors import LifecycleCode, LifecycleError
from lifecycle.ports import CaptureLog, Entry, LabelReceipt, Store

COLUMNS = ("prediction_id", "label")
LONGEST_ID = 256
PARQUET_MAGIC = b"PAR1"


def read_labels(data: bytes) -> pa.Table:
    """Read a Parquet or CSV file's bytes. Raises LifecycleError INVALID for anything else."""
    try:
        if data.startswith(PARQUET_MAGIC):
            return pq.read_table(io.BytesIO(data))
        options = pyarrow.csv.ConvertOptions(column_types={"prediction_id": pa.string()})
        return pyarrow.csv.read_csv(io.BytesIO(data), convert_options=options)
    except (pa.ArrowException, ValueError, OSError):
        raise _invalid("the labels are neither a Parquet nor a CSV file that can be read") from None


def tidy(labels: pa.Table) -> pa.Table:
    """The two columns, without nulls: ids as strings, labels as int64, float64 or strings.

    Other columns are left out. Raises LifecycleError INVALID.
    """
    if missing := [name for name in COLUMNS if name not in labels.column_names]:
        raise _invalid(f"column {missing[0]!r} is missing; labels have `prediction_id` and `label`")
    if not labels.num_rows:
        raise _invalid("there are no labels in it")
    labels = labels.select(list(COLUMNS)).unify_dictionaries()
    for name in COLUMNS:
        if labels[name].null_count:
            raise _invalid(f"column {name!r} has {labels[name].null_count} rows without a value")
    columns = {"prediction_id": _ids(labels), "label": _labels(labels)}
    return pa.table(columns)


def _ids(labels: pa.Table) -> "pa.ChunkedArray[Any]":
    try:
        ids = cast("pa.ChunkedArray[Any]", labels["prediction_id"].cast(pa.string()))
    except pa.ArrowException:
        raise _invalid("column 'prediction_id' must hold text") from None
    if pc.any(pc.greater(pc.utf8_length(ids), pa.scalar(LONGEST_ID))).as_py():
        raise _invalid(f"a prediction id has at most {LONGEST_ID} characters")
    return ids


def _labels(labels: pa.Table) -> "pa.ChunkedArray[Any]":
    column = labels["label"]
    kind = column.type.value_type if isinstance(column.type, pa.DictionaryType) else column.type
    try:
        if pa.types.is_boolean(kind) or pa.types.is_integer(kind):
            return column.cast(pa.int64())
        if pa.types.is_floating(kind):
            values = column.cast(pa.float64())
            if not pc.all(pc.is_finite(values)).as_py():
                raise _invalid("a label is NaN or infinite")
            return values
        if pa.types.is_string(kind) or pa.types.is_large_string(kind):
            return column.cast(pa.string())
    except pa.ArrowException:
        raise _invalid("a label does not fit into 64 bits") from None
    raise _invalid("column 'label' must hold numbers, booleans or text")


class Feedback:
    """Takes labels for any model that is registered.

    Args:
        per_minute: labels that one caller may send in a minute.
    """

    def __init__(
        self,
        captures: CaptureLog,
        store: Store,
        clock: Callable[[], float] = time.time,
        per_minute: int = 1_000_000,
    ) -> None:
        self._captures = captures
        self._store = store
        self._clock = clock
        self._quota = Quota(per_minute)

    def ingest(self, model: str, labels: pa.Table | bytes, actor: str) -> LabelReceipt:
        """Add labels; durable on return, and safe to send again.

        Raises:
            LifecycleError: NOT_FOUND for an unknown model, INVALID for labels that cannot be used, THROTTLED
                for too many at once, CONFLICT if every one of them contradicts one that stands.
        """
        if all(known.name != model for known in self._store.models()):
            raise LifecycleError(LifecycleCode.NOT_FOUND, f"there is no model {model!r}")
        table = tidy(read_labels(labels) if isinstance(labels, bytes) else labels)
        if waits_s := self._quota.wait(actor, table.num_rows, time.monotonic()):
            message = f"too many labels from {actor!r}; none was taken. Send them again in {waits_s:.0f} s"
            raise LifecycleError(LifecycleCode.THROTTLED, message)
        receipt = self._captures.label(model, table, self._clock())
        self._store.commit(Entry(actor, "labels.received", model, asdict(receipt)))
        if receipt.conflicting == table.num_rows:
            message = "these predictions have other labels, which stand; what was sent is put aside"
            raise LifecycleError(LifecycleCode.CONFLICT, message)
        return receipt


def _invalid(message: str) -> LifecycleError:
    return LifecycleError(LifecycleCode.INVALID, message)
