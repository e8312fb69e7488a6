"""Small real models, made once: every test of the data path runs what a user would run."""

import hashlib
from collections.abc import Callable
from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper
from skl2onnx import convert_sklearn
from skl2onnx.common.data_types import FloatTensorType
from sklearn.linear_model import LogisticRegression

from gateway.core.routing import VersionEntry
from gateway.core.signature import Signature
from gateway.core.types import Array
from gateway.runtime.session import Session
from gateway.runtime.signature import signature_of
from tests.graphs import serialised

Write = Callable[..., VersionEntry]


def tensor(name: str, kind: int, shape: list[int | str]) -> onnx.ValueInfoProto:
    return helper.make_tensor_value_info(name, kind, shape)


def constant(name: str, kind: int, values: Array) -> onnx.TensorProto:
    return helper.make_tensor(name, kind, values.shape, values.ravel().tolist())


@pytest.fixture(scope="session")
def logistic() -> bytes:
    """Logistic regression on 30 FP32 features: `x` -> `label` INT64 [n], `probabilities` FP32 [n, 2]."""
    rng = np.random.default_rng(0)
    rows = rng.normal(size=(500, 30)).astype(np.float32)
    classifier = LogisticRegression().fit(rows, (rows[:, 0] > 0).astype(np.int64))
    model = convert_sklearn(
        classifier,
        initial_types=[("x", FloatTensorType([None, 30]))],
        target_opset={"": 17, "ai.onnx.ml": 3},
        options={id(classifier): {"zipmap": False}},
    )
    return model.SerializeToString()


@pytest.fixture(scope="session")
def text() -> bytes:
    """Gives back the strings it takes: `s` BYTES [n, 1] -> `t` BYTES [n, 1]."""
    return serialised(
        helper.make_graph(
            [helper.make_node("Identity", ["s"], ["t"])],
            "text",
            [tensor("s", TensorProto.STRING, ["n", 1])],
            [tensor("t", TensorProto.STRING, ["n", 1])],
        )
    )


@pytest.fixture(scope="session")
def slow() -> bytes:
    """Some 2 ms per row of matrix products: `x` FP32 [n, 256] -> `y` FP32 [n, 256]."""
    weights = np.eye(256, dtype=np.float32)
    layers = 200
    return serialised(
        helper.make_graph(
            [
                helper.make_node("MatMul", ["x" if i == 0 else f"h{i}", "w"], [f"h{i + 1}"])
                for i in range(layers)
            ]
            + [helper.make_node("Identity", [f"h{layers}"], ["y"])],
            "slow",
            [tensor("x", TensorProto.FLOAT, ["n", 256])],
            [tensor("y", TensorProto.FLOAT, ["n", 256])],
            [constant("w", TensorProto.FLOAT, weights)],
        )
    )


@pytest.fixture(scope="session")
def endless() -> bytes:
    """Answers unless some value is above 1; then it runs for ever: `x` FP32 [n, 1] -> `y` FP32 [n, 1]."""
    body = helper.make_graph(
        [helper.make_node("Identity", ["go"], ["go_on"]), helper.make_node("Add", ["v", "one"], ["v_out"])],
        "body",
        [
            tensor("i", TensorProto.INT64, []),
            tensor("go", TensorProto.BOOL, []),
            tensor("v", TensorProto.FLOAT, ["n", 1]),
        ],
        [tensor("go_on", TensorProto.BOOL, []), tensor("v_out", TensorProto.FLOAT, ["n", 1])],
    )
    return serialised(
        helper.make_graph(
            [
                helper.make_node("ReduceMax", ["x"], ["most"], keepdims=0),
                helper.make_node("Greater", ["most", "one"], ["start"]),
                helper.make_node("Loop", ["", "start", "x"], ["y"], body=body),
            ],
            "endless",
            [tensor("x", TensorProto.FLOAT, ["n", 1])],
            [tensor("y", TensorProto.FLOAT, ["n", 1])],
            [constant("one", TensorProto.FLOAT, np.array(1.0, np.float32))],
        )
    )


@pytest.fixture(scope="session")
def lookup() -> bytes:
    """A table of 4 values; other indices fail the run: `i` INT64 [n] -> `y` FP32 [n]."""
    return serialised(
        helper.make_graph(
            [helper.make_node("Gather", ["table", "i"], ["y"])],
            "lookup",
            [tensor("i", TensorProto.INT64, ["n"])],
            [tensor("y", TensorProto.FLOAT, ["n"])],
            [constant("table", TensorProto.FLOAT, np.array([0, 10, 20, 30], np.float32))],
        )
    )


@pytest.fixture(scope="session")
def blend() -> bytes:
    """Subtracts the mean over rows, so rows must not be joined: `x` FP32 [n, 1] -> `y` FP32 [n, 1]."""
    return serialised(
        helper.make_graph(
            [
                helper.make_node("ReduceMean", ["x"], ["mean"], axes=[0]),
                helper.make_node("Sub", ["x", "mean"], ["y"]),
            ],
            "blend",
            [tensor("x", TensorProto.FLOAT, ["n", 1])],
            [tensor("y", TensorProto.FLOAT, ["n", 1])],
        )
    )


@pytest.fixture(scope="session")
def convolution() -> bytes:
    """Eight channels of eight: `x` FP32 [n, 8, 16, 16] -> `y` FP32 [n, 8, 16, 16]."""
    weights = np.random.default_rng(0).normal(size=(8, 8, 3, 3)).astype(np.float32)
    return serialised(
        helper.make_graph(
            [helper.make_node("Conv", ["x", "w"], ["y"], pads=[1, 1, 1, 1])],
            "convolution",
            [tensor("x", TensorProto.FLOAT, ["n", 8, 16, 16])],
            [tensor("y", TensorProto.FLOAT, ["n", 8, 16, 16])],
            [constant("w", TensorProto.FLOAT, weights)],
        )
    )


@pytest.fixture
def written(tmp_path: Path) -> Write:
    """Writes a model to a file and gives the entry that routes to it."""

    def write(model: bytes, version: int = 1, signature: Signature | None = None) -> VersionEntry:
        path = tmp_path / f"{version}.onnx"
        path.write_bytes(model)
        digest = f"sha256:{hashlib.sha256(model).hexdigest()}"
        return VersionEntry(version, str(path), digest, signature or signature_of(model))

    return write


@pytest.fixture
def session_of() -> Callable[[bytes], Session]:
    def load(model: bytes) -> Session:
        return Session(model, signature_of(model))

    return load
