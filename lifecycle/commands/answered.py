"""What came in late about each version's live answers, read from the capture log."""

from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from lifecycle.core.answers import correct
from lifecycle.core.performance.numbers import Series
from lifecycle.core.performance.standing import Answers
from lifecycle.ports import CaptureLog
from lifecycle.tensors import to_array

AS_THEY_CAME = ("labelled_at", "at")
"""Labels of one request come together; of these, the oldest prediction's first."""


def answers(captures: CaptureLog, model: str, since: float) -> dict[int, Answers]:
    """Right and wrong answers by version, of labels that came since a time, and when answers since were made.

    A version whose outputs name no class is left out.
    """
    labelled = captures.labelled(model, came_since=since, inputs=False)
    made = captures.made(model, since)
    found = {}
    versions, made_by = to_array(labelled["version"]), to_array(made["version"])
    for version in np.unique(versions).tolist():
        rows = labelled.filter(pa.array(versions == version)).sort_by(
            [(by, "ascending") for by in AS_THEY_CAME]
        )
        right = correct(outputs_of(rows), to_array(rows["label"]))
        if right is not None:
            made_at = np.asarray(to_array(made["at"])[made_by == version], np.float64)
            at, came = (np.asarray(to_array(rows[name]), np.float64) for name in ("at", "labelled_at"))
            found[int(version)] = Answers(at, came, right, made_at)
    return found


def numbers(captures: CaptureLog, model: str, since: float) -> dict[str, dict[int, Series]]:
    """The numbers of each business metric, by version."""
    found = {}
    for name, rows in captures.numbers(model, since).items():
        at, versions, values = (to_array(rows[column]) for column in ("at", "version", "value"))
        found[name] = {
            int(version): Series(at[versions == version], values[versions == version])
            for version in np.unique(versions).tolist()
        }
    return found


def kept(captures: CaptureLog, model: str, since: float) -> dict[int, NDArray[np.float64]]:
    """When captured answers were made, by version, whether anything came for them or not."""
    made = captures.made(model, since)
    at, versions = (to_array(made[column]) for column in ("at", "version"))
    return {int(version): at[versions == version] for version in np.unique(versions).tolist()}


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
