"""Labelled rows on which a version and its champion are compared: rows that neither of them learnt from."""

from collections.abc import Callable

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from lifecycle.core.version import Version
from lifecycle.ports import CaptureLog

MOST_ROWS = 2_000
"""The newest so many labelled predictions are one block."""

Reference = Callable[[Version], pa.Table]
"""Reads a version's reference data: `inputs.<tensor>`, `label` if there is one, `row_id` and the flags."""


def newest_block(
    candidate: Version, champion: Version, captures: CaptureLog, read: Reference
) -> pa.Table | None:
    """The newest labelled predictions as `inputs.<tensor>` and `label`, oldest first; None without any.

    Labels that come fast are not like the others, so the newest rows alone would mislead; a block of
    thousands is mostly rows whose labels had time to come.

    A version that was trained because the world changed is judged from the change on.
    """
    rows = captures.labelled(candidate.model)
    learnt: set[str] = set()
    for version in (candidate, champion):
        if version.reference:
            table = read(version)
            if version is candidate:
                rows = _meant_for(rows, table)
            known = table.filter(pc.equal(table["holdout"], pa.scalar(False)))["row_id"]
            learnt.update(str(name) for name in known.to_pylist())
    if learnt:
        rows = rows.filter(pc.invert(pc.is_in(rows["prediction_id"], pa.array(sorted(learnt), pa.string()))))
    if not rows.num_rows:
        return None
    kept = [name for name in rows.column_names if name.startswith("inputs.")]
    return rows.slice(max(0, rows.num_rows - MOST_ROWS)).select([*kept, "label"])


def held_out(version: Version, read: Reference) -> pa.Table | None:
    """The labelled reference rows that a version was kept from, by its own word; None if it has none."""
    if not version.reference:
        return None
    table = read(version)
    if "label" not in table.column_names:
        return None
    rows = table.filter(pc.equal(table["holdout"], pa.scalar(True)))
    if not rows.num_rows:
        return None
    kept = [name for name in rows.column_names if name.startswith("inputs.")]
    if rows.num_rows > MOST_ROWS:
        rows = rows.take(np.linspace(0, rows.num_rows - 1, MOST_ROWS).astype(np.int64))
    return rows.select([*kept, "label"])


def _meant_for(rows: pa.Table, reference: pa.Table) -> pa.Table:
    """Of labelled predictions, those of the time that a version was trained for; all if it names no time."""
    recent = reference.filter(pc.equal(reference["recent"], pa.scalar(True)))["row_id"]
    since = pc.min(rows.filter(pc.is_in(rows["prediction_id"], recent.combine_chunks()))["at"])
    return rows.filter(pc.greater_equal(rows["at"], since)) if since.is_valid else rows
