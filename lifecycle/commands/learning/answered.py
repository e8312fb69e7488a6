"""What came in late about each version's live answers, read from the capture log."""

from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from gateway.core.types import Role
from lifecycle.core.performance.answers import Measure, errors
from lifecycle.core.performance.numbers import Series
from lifecycle.core.performance.standing import Answers, Arrived
from lifecycle.ports import CaptureLog
from lifecycle.tensors import to_array

AS_THEY_CAME = ("labelled_at", "at")
"""Labels of one request come together; of these, the oldest prediction's first."""


def arrived(captures: CaptureLog, model: str, since: float, measure: Measure | None = None) -> Arrived:
    """The labels and numbers that came since a time, and when the answers since then were made.

    Args:
        measure: what the model's answers are measured by, if it is known; else the labels tell.
    """
    made = _made(captures, model, since)
    return Arrived(_answers(captures, model, since, measure, made), _numbers(captures, model, since), made)


def _answers(
    captures: CaptureLog,
    model: str,
    since: float,
    measure: Measure | None,
    made: dict[int, NDArray[np.float64]],
) -> dict[int, Answers]:
    labelled = captures.labelled(model, came_since=since, inputs=False)
    found = {}
    versions = to_array(labelled["version"])
    for version in np.unique(versions).tolist():
        rows = labelled.filter(pa.array(versions == version)).sort_by(
            [(by, "ascending") for by in AS_THEY_CAME]
        )
        wrong = errors(outputs_of(rows), to_array(rows["label"]), measure)
        if wrong is not None:
            at, came = (np.asarray(to_array(rows[name]), np.float64) for name in ("at", "labelled_at"))
            drawn = np.array([role != Role.PINNED for role in rows["role"].to_pylist()], np.bool_)
            found[int(version)] = Answers(at, came, wrong, drawn, made.get(int(version), np.zeros(0)))
    return found


def _numbers(captures: CaptureLog, model: str, since: float) -> dict[str, dict[int, Series]]:
    """The numbers of each business metric, by version."""
    found = {}
    for name, rows in captures.numbers(model, came_since=since).items():
        at, came, versions, values = (to_array(rows[each]) for each in ("at", "came", "version", "value"))
        found[name] = {
            int(version): Series(*(column[versions == version] for column in (at, came, values)))
            for version in np.unique(versions).tolist()
        }
    return found


def _made(captures: CaptureLog, model: str, since: float) -> dict[int, NDArray[np.float64]]:
    made = captures.made(model, since)
    at, versions = (to_array(made[column]) for column in ("at", "version"))
    return {
        int(version): np.asarray(at[versions == version], np.float64)
        for version in np.unique(versions).tolist()
    }


def outputs_of(rows: pa.Table) -> dict[str, np.ndarray[Any, Any]]:
    """Output tensors that all rows have in one shape."""
    outputs = {}
    for name in rows.column_names:
        if name.startswith("outputs."):
            try:
                outputs[name] = to_array(rows[name])
            except ValueError:
                continue
    return outputs
