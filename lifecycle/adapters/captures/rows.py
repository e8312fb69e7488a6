"""Captures as the rows of a Parquet table: a request of several rows is several of them.

Works on stacks of captures, never on one after the other: a fleet of models sends thousands a second.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import chain
from typing import Any

import numpy as np
import pyarrow as pa

from gateway.core.capture import CaptureBlock
from gateway.core.types import Role, Tensors
from lifecycle.tensors import to_column


@dataclass(frozen=True, slots=True)
class Rows:
    """Rows of one version and role. `tensors` are by column name, [rows, *shape]; `at` is Unix seconds."""

    ids: tuple[str, ...]
    at: tuple[float, ...]
    version: int
    role: Role
    tensors: Tensors

    @property
    def layout(self) -> tuple[tuple[str, int, str], ...]:
        """Rows of one layout fit into one table."""
        return tuple((name, array.ndim, array.dtype.str) for name, array in self.tensors.items())


def rows_of(block: CaptureBlock) -> Rows:
    """A block's rows. Row i of a request `p` of several rows has the id `p/i`.

    Tensors that do not share a batch dimension stay whole, as one row per request.
    """
    tensors = {f"inputs.{name}": array for name, array in block.inputs.items()}
    tensors |= {f"outputs.{name}": array for name, array in block.outputs.items()}
    lengths = {array.shape[1] if array.ndim > 1 else -1 for array in tensors.values()}
    length = lengths.pop() if len(lengths) == 1 else -1
    ids, at = block.ids, block.at
    if length >= 0:
        total = len(ids) * length
        tensors = {name: array.reshape(total, *array.shape[2:]) for name, array in tensors.items()}
    if length >= 0 and length != 1:
        ids = tuple(f"{prediction}/{i}" for prediction in ids for i in range(length))
        at = tuple(time for time in at for _ in range(length))
    return Rows(ids, at, block.version, block.role, tensors)


def to_table(parts: Sequence[Rows]) -> pa.Table:
    """One table of rows of one layout, in the order given."""
    counts = [len(part.ids) for part in parts]
    columns: dict[str, pa.Array[Any]] = {
        "at": pa.array(list(chain.from_iterable(part.at for part in parts)), pa.float64()),
        "prediction_id": pa.array(list(chain.from_iterable(part.ids for part in parts)), pa.string()),
        "version": pa.array(np.repeat([part.version for part in parts], counts), pa.int64()),
        "role": pa.array(np.repeat([part.role.value for part in parts], counts).tolist(), pa.string()),
    }
    for name in parts[0].tensors:
        columns[name] = to_column([part.tensors[name] for part in parts])
    return pa.table(columns)
