"""The models that every system serves: cheap enough that what is measured is the server around them."""

import importlib
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto, helper

OPSET = 18
MEGABYTE = 262_144
"""Numbers of FP32 in 1 MiB."""


def logistic(artifact: Path) -> NDArray[np.float32]:
    """A logistic regression on scikit-learn's breast cancer data. Returns a row of it, shape (1, 30)."""
    linear_model, preprocessing = _untyped("sklearn.linear_model"), _untyped("sklearn.preprocessing")
    table = _untyped("sklearn.datasets").load_breast_cancer()
    features = table.data.astype(np.float32)
    classifier = _untyped("sklearn.pipeline").make_pipeline(
        preprocessing.StandardScaler(), linear_model.LogisticRegression(max_iter=1000)
    )
    classifier.fit(features, table.target)
    graph = _untyped("skl2onnx").to_onnx(
        classifier, features[:1], options={"zipmap": False}, target_opset=OPSET
    )
    artifact.write_bytes(graph.SerializeToString())
    row: NDArray[np.float32] = features[7:8]
    return row


def identity(artifact: Path) -> NDArray[np.float32]:
    """A megabyte that comes back as it is. Returns one, shape (1, 262144)."""
    _write(artifact, helper.make_node("Identity", ["tensor"], ["same"]), [None, MEGABYTE], [None, MEGABYTE])
    return np.random.default_rng(0).standard_normal((1, MEGABYTE), np.float32)


def image(artifact: Path) -> NDArray[np.float32]:
    """The mean of each channel of an image. Returns pixels normalised as for ImageNet, (1, 3, 224, 224)."""
    node = helper.make_node("GlobalAveragePool", ["image"], ["means"])
    _write(artifact, node, [None, 3, 224, 224], [None, 3, 1, 1])
    levels = np.random.default_rng(0).integers(0, 256, (1, 3, 224, 224)) / 255
    mean, deviation = np.array([0.485, 0.456, 0.406]), np.array([0.229, 0.224, 0.225])
    pixels: NDArray[np.float32] = ((levels - mean[:, None, None]) / deviation[:, None, None]).astype(
        np.float32
    )
    return pixels


def _write(artifact: Path, node: onnx.NodeProto, takes: list[int | None], gives: list[int | None]) -> None:
    graph = helper.make_graph(
        [node],
        artifact.stem,
        [helper.make_tensor_value_info(node.input[0], TensorProto.FLOAT, takes)],
        [helper.make_tensor_value_info(node.output[0], TensorProto.FLOAT, gives)],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", OPSET)], ir_version=10)
    onnx.save(model, str(artifact))


def _untyped(module: str) -> Any:
    """A library that ships no types."""
    return importlib.import_module(module)
