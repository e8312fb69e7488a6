"""Runs a recipe on a file of training data. Imported in a process of its own, never in the controller.

A recipe is `module:function`; the function takes a `TrainingData` and returns an ONNX ModelProto or its
bytes. One recent row in three is kept from it: on those the new version is judged.
"""

import importlib
import inspect
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray
from onnx import ModelProto
from threadpoolctl import threadpool_limits

from gateway.core.types import Array
from lifecycle.errors import LifecycleCode, LifecycleError
from lifecycle.ports import TrainingJob
from lifecycle.recipes.training import Recipe, TrainingData, balance, hold_out
from lifecycle.tensors import to_array

NICENESS = 15
"""Training never takes a core that serving wants."""
HOLD_OUT_EVERY = 3
LONGEST_ERROR = 1_000
"""Characters of a recipe's own error that are told: it goes into the ledger, for good."""
_IMPORTABLE = (
    "it is module:function, of a module that is installed, on `headrace up`'s PYTHONPATH or in its folder"
)
MODEL, REFERENCE = "model.onnx", "reference.parquet"


def run_recipe(job: TrainingJob) -> tuple[Path, Path]:
    """Train, and write the model and its reference data to `job.output`.

    Columns of `job.data`: `inputs.<tensor>`, `label` and, unless all rows are, `recent` (bool): from the
    period that the version is meant for. Recent rows weigh at least as much as all others together. Rows
    with `holdout` (bool) true are never learnt from; of the recent ones where it is null or missing, some
    are held out now. The reference data are all rows with these two flags, so that the version is profiled
    and judged on recent rows that neither it nor its ancestors learnt from.

    Raises:
        LifecycleError: REFUSED, with the recipe's own error, or because no recent row is left to judge by.
    """
    data = pq.read_table(job.data)
    recent, undecided = _flag(data, "recent", True), np.ones(data.num_rows, np.bool_)
    if "holdout" in data.column_names:
        undecided = np.asarray(data["holdout"].is_null())
    held, new = _flag(data, "holdout", False), recent & undecided
    held[new] = hold_out(int(new.sum()), HOLD_OUT_EVERY)
    if not (held & recent).any():
        raise _refused(job.recipe, "has too few new labelled rows: none can be held out to judge it by")
    recipe = find(job.recipe)
    try:
        taught = data.filter(pa.array(~held))
        with threadpool_limits(1):
            trained = recipe(TrainingData(_inputs(taught), _labels(taught), balance(recent[~held])))
    except (Exception, SystemExit) as error:
        raise _refused(job.recipe, f"failed: {type(error).__name__}: {_told(error)}") from error
    model = trained.SerializeToString() if isinstance(trained, ModelProto) else trained
    if not isinstance(model, bytes):
        raise _refused(
            job.recipe, f"returned a {type(model).__name__}; it has to return an ONNX model, or its bytes"
        )
    job.output.mkdir(parents=True, exist_ok=True)
    rows = data.drop_columns([name for name in ("holdout", "recent") if name in data.column_names])
    rows = rows.append_column("holdout", pa.array(held)).append_column("recent", pa.array(recent))
    pq.write_table(rows, job.output / REFERENCE)
    (job.output / MODEL).write_bytes(model)
    return job.output / MODEL, job.output / REFERENCE


def find(recipe: str) -> Recipe:
    """The function of a recipe, not called yet.

    Raises LifecycleError REFUSED if it cannot be imported or cannot be called with a `TrainingData`.
    """
    module, _, name = recipe.partition(":")
    try:
        function = getattr(importlib.import_module(module), name)
    except Exception as error:  # a recipe's module runs when it is imported, so anything may be wrong with it
        raise _refused(recipe, f"cannot be imported: {_told(error)}; {_IMPORTABLE}") from error
    if not callable(function):
        raise _refused(recipe, "is not a function")
    try:
        inspect.signature(function).bind(None)
    except TypeError as error:
        raise _refused(recipe, f"cannot be called with one `TrainingData`: {error}") from None
    except ValueError:
        pass  # a function of another language, which does not tell
    found: Recipe = function
    return found


def _flag(data: pa.Table, name: str, missing: bool) -> NDArray[np.bool_]:
    if name not in data.column_names:
        return np.full(data.num_rows, missing)
    return np.array([missing if value is None else value for value in data[name].to_pylist()], np.bool_)


def _inputs(data: pa.Table) -> dict[str, Array]:
    return {
        name.removeprefix("inputs."): to_array(data[name])
        for name in data.column_names
        if name.startswith("inputs.")
    }


def _labels(data: pa.Table) -> Array:
    labels = to_array(data["label"])
    return labels.astype(np.str_) if labels.dtype == np.object_ else labels


def _told(error: BaseException) -> str:
    words = str(error)
    return words if len(words) <= LONGEST_ERROR else f"{words[:LONGEST_ERROR]}…"


def _refused(recipe: str, what: str) -> LifecycleError:
    return LifecycleError(LifecycleCode.REFUSED, f"recipe {recipe!r} {what}")
