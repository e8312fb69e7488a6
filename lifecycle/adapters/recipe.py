"""Runs a recipe on a file of training data. Imported in a process of its own, never in the controller.

A recipe is `module:function`; the function takes a `TrainingData` and returns an ONNX ModelProto or its
bytes. One recent row in three is kept from it: on those the new version is judged.
"""

import importlib
import json
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from onnx import ModelProto
from threadpoolctl import threadpool_limits

from gateway.core.types import Array
from lifecycle.core.training import TrainingData, balance, hold_out
from lifecycle.errors import LifecycleCode, LifecycleError
from lifecycle.ports import TrainingJob
from lifecycle.tensors import to_array

NICENESS = 15
"""Training never takes a core that serving wants."""
HOLD_OUT_EVERY = 3
MODEL, REFERENCE = "model.onnx", "reference.parquet"


def run_recipe(job: TrainingJob) -> tuple[Path, Path]:
    """Train, and write the model and its reference data to `job.output`.

    Columns of `job.data`: `inputs.<tensor>`, `label` and, unless all rows are, `recent` (bool): from the
    period that the version is meant for. Recent rows weigh at least as much as all others together. The
    reference data are the recent rows that were held out, so that its profile is of what the version will
    see, and its accuracy on them is honest.

    Raises:
        LifecycleError: REFUSED, with the recipe's own error.
    """
    data = pq.read_table(job.data)
    recent = np.ones(data.num_rows, np.bool_)
    if "recent" in data.column_names:
        recent = np.asarray(data["recent"].to_numpy(), np.bool_)
    held = np.zeros(data.num_rows, np.bool_)
    held[recent] = hold_out(int(recent.sum()), HOLD_OUT_EVERY)
    recipe = _find(job.recipe)
    try:
        taught = data.filter(pa.array(~held))
        with threadpool_limits(1):
            trained = recipe(TrainingData(_inputs(taught), _labels(taught), balance(recent[~held])))
        model = trained.SerializeToString() if isinstance(trained, ModelProto) else bytes(trained)
    except Exception as error:
        raise _refused(job.recipe, f"failed: {error}") from error
    job.output.mkdir(parents=True, exist_ok=True)
    names = [name for name in data.column_names if name.startswith("inputs.")]
    pq.write_table(data.select([*names, "label"]).filter(pa.array(held)), job.output / REFERENCE)
    (job.output / MODEL).write_bytes(model)
    return job.output / MODEL, job.output / REFERENCE


def _find(recipe: str) -> Callable[[TrainingData], Any]:
    module, _, name = recipe.partition(":")
    try:
        function = getattr(importlib.import_module(module), name)
    except (ImportError, AttributeError, ValueError):
        raise _refused(recipe, "cannot be imported; name it as module:function") from None
    if not callable(function):
        raise _refused(recipe, "is not a function")
    found: Callable[[TrainingData], Any] = function
    return found


def _inputs(data: pa.Table) -> dict[str, Array]:
    return {
        name.removeprefix("inputs."): to_array(data[name])
        for name in data.column_names
        if name.startswith("inputs.")
    }


def _labels(data: pa.Table) -> Array:
    labels = to_array(data["label"])
    return labels.astype(np.str_) if labels.dtype == np.object_ else labels


def _refused(recipe: str, what: str) -> LifecycleError:
    return LifecycleError(LifecycleCode.REFUSED, f"recipe {recipe!r} {what}")


def main() -> int:
    """Run the job given as JSON on standard input; one line on standard error when it is refused."""
    os.nice(max(0, NICENESS - os.nice(0)))
    given = json.load(sys.stdin)
    job = TrainingJob(
        given["model"], given["recipe"], Path(given["data"]), Path(given["output"]), given["cause"]
    )
    try:
        run_recipe(job)
    except LifecycleError as error:
        sys.stderr.write(f"\n{error.message}")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
