"""The rows that a retraining learns from, so that the new version handles old and new traffic alike.

Every row has a name, `row_id`, that stays with it from retraining to retraining: a row comes once, and one
that was ever held out stays held out.
"""

import hashlib
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from lifecycle.commands.learning.answered import outputs_of
from lifecycle.commands.learning.labelled import Reference
from lifecycle.core.learning.suspicion import Aside, suspect_sources, unheard
from lifecycle.core.performance.answers import errors
from lifecycle.core.performance.yardstick import learnt
from lifecycle.core.version import Version
from lifecycle.errors import LifecycleCode, LifecycleError
from lifecycle.ports import CaptureLog
from lifecycle.tensors import to_array

MOST_LABELLED = 20_000
"""The newest so many labelled predictions take part."""
MOST_EARLIER = 20_000
"""So many of the reference rows take part, at even distances: a line of versions may be long."""


def gather(
    champion: Version,
    versions: Mapping[int, Version],
    captures: CaptureLog,
    read: Reference,
    trusted: Collection[str] = (),
) -> tuple[pa.Table, list[Aside]]:
    """Rows as `inputs.<tensor>`, `label`, `row_id`, `holdout` and `at`; `at` is 0 for reference data.

    They are the reference data of the champion and the versions it comes from, and the labelled
    predictions. `holdout` is true for a row that one of those versions was tested on, false for one that
    it learnt from, null for a new one.

    Suspect ones are left out, also where an earlier version learnt from them; they are told beside the rows.

    Args:
        trusted: whose labels are never suspect as a whole.

    Raises:
        LifecycleError: CONFLICT if there is not one labelled row.
    """
    line = (version for version in _line(champion, versions) if version.reference)
    references = (read(version).drop_columns("recent") for version in line)
    earlier = [table for table in references if "label" in table.column_names]
    labelled = captures.labelled(champion.model)
    if not earlier and not labelled.num_rows:
        raise LifecycleError(
            LifecycleCode.CONFLICT,
            f"{champion.model!r} has no labelled rows to learn from; send labels with `headrace feedback`",
        )
    asides = _suspect(labelled, earlier, trusted) if labelled.num_rows else []
    aside = np.logical_or.reduce([np.zeros(labelled.num_rows, np.bool_), *(each.rows for each in asides)])
    left_out = labelled["prediction_id"].filter(pa.array(aside))
    labelled = labelled.filter(pa.array(~aside))
    earlier = [
        table.filter(pc.invert(pc.is_in(table["row_id"], value_set=left_out.combine_chunks())))
        for table in earlier
    ]
    tables = [table.append_column("at", pa.array(np.zeros(table.num_rows))) for table in earlier]
    if labelled.num_rows:
        tables.append(_newest(labelled))
    rows = _once(pa.concat_tables(tables, promote_options="permissive"))
    captured = pc.greater(rows["at"], pa.scalar(0.0))
    old, new = rows.filter(pc.invert(captured)), rows.filter(captured)
    if old.num_rows > MOST_EARLIER:
        old = old.take(np.linspace(0, old.num_rows - 1, MOST_EARLIER).astype(np.int64))
    return pa.concat_tables([old, new]), asides


def _suspect(labelled: pa.Table, earlier: Sequence[pa.Table], trusted: Collection[str]) -> list[Aside]:
    """Labelled predictions to be looked at by a person before anything learns from them."""
    labels = to_array(labelled["label"])
    known = [to_array(table["label"]) for table in earlier]
    found = list(unheard(labels, np.concatenate(known) if known else labels[:0]))
    wrong = errors(outputs_of(labelled), labels)
    if wrong is not None and (yardstick := learnt(wrong)) is not None:
        sources, at = (to_array(labelled[name]) for name in ("source", "at"))
        losses = yardstick.losses(wrong.rows)
        found += suspect_sources(sources.astype(np.str_), at.astype(np.float64), losses, trusted)
    return found


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


def _newest(labelled: pa.Table) -> pa.Table:
    """Labelled predictions in the columns of reference data; a prediction's id is its row's name."""
    inputs = [name for name in labelled.column_names if name.startswith("inputs.")]
    rows = labelled.select([*inputs, "label", "prediction_id", "at"])
    rows = rows.rename_columns([*inputs, "label", "row_id", "at"])
    rows = rows.slice(max(0, rows.num_rows - MOST_LABELLED))
    return rows.append_column("holdout", pa.nulls(rows.num_rows, pa.bool_()))


def _once(rows: pa.Table) -> pa.Table:
    """The last copy of each row, so that one which is still captured keeps its time; held out if any is."""
    placed = rows.append_column("place", pa.array(np.arange(rows.num_rows)))
    kept = placed.group_by("row_id").aggregate([("place", "max"), ("holdout", "any")]).sort_by("place_max")
    once = rows.take(kept["place_max"]).drop_columns(["holdout"])
    return once.append_column("holdout", kept["holdout_any"])
