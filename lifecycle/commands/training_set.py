"""The rows that a retraining learns from, so that the new version handles old and new traffic alike."""

import hashlib
from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from gateway.core.types import Array
from lifecycle.core.version import Version
from lifecycle.errors import LifecycleCode, LifecycleError
from lifecycle.ports import CaptureLog
from lifecycle.tensors import to_column

MOST_LABELLED = 20_000
"""The newest so many labelled predictions take part."""

Reference = Callable[[Version], tuple[Mapping[str, Array], Array | None]]
"""Reads a version's reference data: input tensors [N, ...] by name, and labels [N] if there are any."""


def gather(
    champion: Version, versions: Mapping[int, Version], captures: CaptureLog, read: Reference
) -> pa.Table:
    """Rows as `inputs.<tensor>`, `label` and `at`; `at` is 0 for reference data.

    They are the reference data of the champion and the versions it comes from, and the labelled
    predictions.

    Raises:
        LifecycleError: CONFLICT if there is not one labelled row.
    """
    kept = [_rows(*read(version)) for version in _line(champion, versions) if version.reference]
    tables = [table for table in kept if table is not None]
    labelled = captures.labelled(champion.model)
    if labelled.num_rows:
        names = [name for name in labelled.column_names if name.startswith("inputs.")]
        tables.append(
            labelled.select([*names, "label", "at"]).slice(max(0, labelled.num_rows - MOST_LABELLED))
        )
    if not tables:
        raise LifecycleError(
            LifecycleCode.CONFLICT,
            f"{champion.model!r} has no labelled rows to learn from; send labels with `headrace feedback`",
        )
    return pa.concat_tables(tables, promote_options="permissive")


def write(rows: pa.Table, since: float, path: Path) -> str:
    """Write a training file in which rows from `since` on are recent; returns its digest.

    Without such rows all are recent: the version is then meant for what the others were.
    """
    recent = np.asarray(rows["at"].to_numpy()) >= since
    if not recent.any():
        recent[:] = True
    path.parent.mkdir(parents=True, exist_ok=True)
    pq.write_table(rows.drop_columns(["at"]).append_column("recent", pa.array(recent)), path)
    return f"sha256:{hashlib.sha256(path.read_bytes()).hexdigest()}"


def _line(champion: Version, versions: Mapping[int, Version]) -> list[Version]:
    """The first ancestor, and so on down to the champion."""
    line = [champion]
    while (parent := line[-1].lineage.parent) in versions and parent is not None:
        line.append(versions[parent])
    return line[::-1]


def _rows(inputs: Mapping[str, Array], labels: Array | None) -> pa.Table | None:
    if labels is None:
        return None
    columns = {
        f"inputs.{name}": to_column([array[i, ...] for i in range(len(array))])
        for name, array in inputs.items()
    }
    return pa.table({**columns, "label": pa.array(labels), "at": pa.array(np.zeros(len(labels)))})
