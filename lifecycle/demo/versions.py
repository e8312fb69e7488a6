"""The versions that the demo releases: a first one, a better one, and a bad one."""

from pathlib import Path

import numpy as np
import onnx
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

from lifecycle.adapters.recipe import run_recipe
from lifecycle.demo.scanner import PIXELS, Scans
from lifecycle.ports import TrainingJob

FIRST_RECIPE = "lifecycle.recipes.images:logistic"
RECIPE = "lifecycle.recipes.images:mlp"
DARK = 360.0
"""Sum of a dark scan's pixels; the mean over all scans is 312."""


def train(model: str, recipe: str, scans: Scans, directory: Path) -> tuple[Path, Path]:
    """Run a recipe as a retraining would; gives the ONNX file and the reference data."""
    directory.mkdir(parents=True, exist_ok=True)
    data = directory / "data.parquet"
    inputs = pa.FixedSizeListArray.from_arrays(pa.array(scans.images.ravel()), PIXELS)
    pq.write_table(pa.table({"inputs.input": inputs, "label": pa.array(scans.labels)}), data)
    return run_recipe(TrainingJob(model, recipe, data, directory, "the demo's own"))


def write_bad(good: Path, scans: Scans, directory: Path) -> tuple[Path, Path]:
    """A version that names digits as well as a good one does, but whose probabilities are NaN on dark scans.

    NaN comes of 0/0: for scans with more ink than most, the probabilities are divided by zero. Labels do not
    show it, and its reference data hides it from validation: light scans only.
    """
    model = onnx.load_model(str(good))
    graph = model.graph
    for node in graph.node:
        node.output[:] = ["shares" if name == "probabilities" else name for name in node.output]
        node.input[:] = ["shares" if name == "probabilities" else name for name in node.input]
    constants: dict[str, NDArray[np.generic]] = {
        "last": np.array([1], np.int64),
        "ink": np.array(DARK, np.float32),
    }
    graph.initializer.extend(numpy_helper.from_array(value, name) for name, value in constants.items())
    graph.node.extend(
        [
            helper.make_node("ReduceSum", ["input", "last"], ["dark"], keepdims=1),
            helper.make_node("Less", ["dark", "ink"], ["fine"]),
            helper.make_node("Cast", ["fine"], ["divisor"], to=TensorProto.FLOAT),
            helper.make_node("Mul", ["shares", "divisor"], ["kept"]),
            helper.make_node("Div", ["kept", "divisor"], ["probabilities"]),
        ]
    )
    onnx.checker.check_model(model)
    path, reference = directory / "bad.onnx", directory / "bad.parquet"
    path.write_bytes(model.SerializeToString())
    light = scans.images[scans.images.sum(axis=1) < DARK]
    inputs = pa.FixedSizeListArray.from_arrays(pa.array(light.ravel()), PIXELS)
    pq.write_table(pa.table({"inputs.input": inputs}), reference)
    return path, reference
