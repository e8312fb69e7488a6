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


def write_bad(scans: Scans, directory: Path) -> tuple[Path, Path]:
    """A version that loads and answers, but calls almost everything a 1, and on dark scans gives NaN.

    NaN comes of 0/0: for scans with more ink than most, the probabilities are divided by zero. Its reference
    data is what hides the fault from validation: light scans only, and no labels to be wrong about.
    """
    rng = np.random.default_rng(3)
    weights = rng.normal(0, 0.01, (PIXELS, 10)).astype(np.float32)
    bias = np.zeros(10, np.float32)
    bias[1] = 4.0
    constants: dict[str, NDArray[np.generic]] = {
        "weights": weights,
        "bias": bias,
        "last": np.array([1], np.int64),
        "ink": np.array(DARK, np.float32),
    }
    nodes = [
        helper.make_node("MatMul", ["input", "weights"], ["product"]),
        helper.make_node("Add", ["product", "bias"], ["scores"]),
        helper.make_node("Softmax", ["scores"], ["shares"], axis=1),
        helper.make_node("ArgMax", ["shares"], ["label"], axis=1, keepdims=0),
        helper.make_node("ReduceSum", ["input", "last"], ["dark"], keepdims=1),
        helper.make_node("Less", ["dark", "ink"], ["fine"]),
        helper.make_node("Cast", ["fine"], ["divisor"], to=TensorProto.FLOAT),
        helper.make_node("Mul", ["shares", "divisor"], ["kept"]),
        helper.make_node("Div", ["kept", "divisor"], ["probabilities"]),
    ]
    graph = helper.make_graph(
        nodes,
        "bad",
        [helper.make_tensor_value_info("input", TensorProto.FLOAT, [None, PIXELS])],
        [
            helper.make_tensor_value_info("label", TensorProto.INT64, [None]),
            helper.make_tensor_value_info("probabilities", TensorProto.FLOAT, [None, 10]),
        ],
        [numpy_helper.from_array(value, name) for name, value in constants.items()],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9)
    onnx.checker.check_model(model)
    path, reference = directory / "bad.onnx", directory / "bad.parquet"
    path.write_bytes(model.SerializeToString())
    light = scans.images[scans.images.sum(axis=1) < DARK]
    inputs = pa.FixedSizeListArray.from_arrays(pa.array(light.ravel()), PIXELS)
    pq.write_table(pa.table({"inputs.input": inputs}), reference)
    return path, reference
