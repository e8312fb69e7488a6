"""Reference data as tensors: a Parquet file of rows, and optionally their `label`.

Two layouts: a column per input tensor, named like it (or `inputs.<tensor>`, as in the capture log) and
holding lists; or, for a model with a single [N, F] input, F scalar feature columns in the model's order.
Boolean columns `holdout` and `recent`, as the trainer writes them, say which rows stand for live traffic.
Columns `outputs.<tensor>` hold the answers that golden rows must get, `slice.<name>` the group of each row.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from gateway.core.signature import Signature, TensorSpec
from gateway.core.types import DATATYPES, FLOAT_KINDS, Array
from lifecycle.errors import LifecycleCode, LifecycleError
from lifecycle.tensors import to_array

LABEL = "label"
FLAGS = ("holdout", "recent")
EXPECTED, SLICE = "outputs.", "slice."
_TEXT = TensorSpec("slice", "BYTES", (-1,))


class Rows(NamedTuple):
    """Rows by tensor, [N, ...] in the signature's dtypes; what they lack is None or empty."""

    inputs: Mapping[str, Array]
    labels: Array | None
    expected: Mapping[str, Array]
    slices: Mapping[str, Array]


def read_reference(
    source: Path | BinaryIO, signature: Signature, max_rows: int | None = None, *, unseen: bool = False
) -> Rows:
    """Inputs, and labels, expected outputs and slices if there are any.

    Args:
        max_rows: of more rows, that many are taken at even distances.
        unseen: read the rows that stand for live traffic only: those that the version was not trained
            on, of the period it was trained for. A flag that is missing or leaves no row counts as set.

    Raises:
        LifecycleError: INVALID if the file is not Parquet or does not fit the signature.
    """
    try:
        table = pq.read_table(source)
    except (pa.ArrowException, OSError):
        raise _invalid("it is not a Parquet file that can be read") from None
    if not table.num_rows:
        raise _invalid("it has no rows")
    for flag in FLAGS:
        if flag in table.column_names and pa.types.is_boolean(table.column(flag).type):
            chosen = table.filter(table.column(flag)) if unseen else table
            table = (chosen if chosen.num_rows else table).drop_columns([flag])
    if max_rows is not None and table.num_rows > max_rows:
        table = table.take(np.linspace(0, table.num_rows - 1, max_rows).astype(np.int64))
    labels = _labels(table.column(LABEL)) if LABEL in table.column_names else None
    expected = {
        spec.name: _tensor(table.column(EXPECTED + spec.name), spec)
        for spec in signature.outputs
        if EXPECTED + spec.name in table.column_names
    }
    named = [name for name in table.column_names if name.startswith(SLICE)]
    slices = {name.removeprefix(SLICE): _cast(table.column(name), _TEXT, name) for name in named}
    return Rows(_inputs(table, signature), labels, expected, slices)


def _inputs(table: pa.Table, signature: Signature) -> dict[str, Array]:
    kept = [name for name in table.column_names if name != LABEL and not name.startswith((EXPECTED, SLICE))]
    table = table.select(kept).rename_columns([name.removeprefix("inputs.") for name in kept])
    columns, specs = table.column_names, signature.inputs
    if set(columns) >= {spec.name for spec in specs}:
        return {spec.name: _tensor(table.column(spec.name), spec) for spec in specs}
    if len(specs) == 1 and len(specs[0].shape) == 2:
        return {specs[0].name: _features(table, columns, specs[0])}
    missing = next(spec.name for spec in specs if spec.name not in columns)
    raise _invalid(f"it has no column {missing!r}; give one column per input tensor")


def _tensor(column: "pa.ChunkedArray[Any]", spec: TensorSpec) -> Array:
    array = _cast(column, spec)
    if array.ndim == 1 and spec.shape[1:] == (1,):
        array = array.reshape(-1, 1)
    # A tensor of higher rank may lie flat in its column; the signature knows its shape.
    if array.ndim == 2 and len(spec.shape) > 2 and -1 not in spec.shape[1:]:
        if array.shape[1] != np.prod(spec.shape[1:]):
            raise _invalid(f"column {spec.name!r} has {array.shape[1]} values per row")
        array = array.reshape(-1, *spec.shape[1:])
    if not spec.admits((spec.shape[0], *array.shape[1:])):
        raise _invalid(f"column {spec.name!r} has rows of shape {list(array.shape[1:])}")
    return array


def _features(table: pa.Table, columns: list[str], spec: TensorSpec) -> Array:
    if spec.shape[1] not in (-1, len(columns)):
        raise _invalid(
            f"it has {len(columns)} feature columns, {columns[0]!r} to {columns[-1]!r}; "
            f"input {spec.name!r} takes {spec.shape[1]}. What was right stands in a column `label`"
        )
    parts = [_cast(table.column(name), spec, name) for name in columns]
    if any(part.ndim != 1 for part in parts):
        raise _invalid("its feature columns hold lists; name one column like the input tensor")
    return np.stack(parts, axis=1)


def _cast(column: "pa.ChunkedArray[Any]", spec: TensorSpec, name: str = "") -> Array:
    try:
        array = to_array(column)
        if spec.datatype != "BYTES":
            with np.errstate(invalid="ignore", over="ignore"):
                cast = array.astype(spec.dtype)
            if spec.dtype.kind not in FLOAT_KINDS and (cast != array).any():
                raise ValueError("a value does not fit")
            return cast
    except (ValueError, TypeError):
        reason = f"column {name or spec.name!r} does not hold {spec.datatype} in every row"
        raise _invalid(reason) from None
    flat = [v if isinstance(v, bytes) else str(v).encode() for v in array.ravel().tolist()]
    texts = np.empty(len(flat), np.object_)
    texts[:] = flat
    return texts.reshape(array.shape)


def _labels(column: "pa.ChunkedArray[Any]") -> Array:
    try:
        labels = to_array(column)
    except ValueError:
        raise _invalid("its column 'label' has rows without a value") from None
    if labels.ndim != 1 or labels.dtype not in DATATYPES:
        raise _invalid("its column 'label' must hold one number, boolean or text per row")
    return labels


def _invalid(reason: str) -> LifecycleError:
    return LifecycleError(LifecycleCode.INVALID, f"the reference data cannot be used: {reason}")
