"""ONNX files and registries that tests of the control loop share."""

from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
from onnx import TensorProto, helper, numpy_helper

from tests.graphs import serialised
from tests.lifecycle.one_model import Registry, opened
from tests.lifecycle.registry import House

Write = Callable[..., Path]


@pytest.fixture
def linear(tmp_path: Path) -> Write:
    """Writes y = x · slope + offset over x FP32 [-1, 3], y FP32 [-1, 3]; returns the path."""

    def write(
        name: str = "model.onnx", *, slope: float = 1.0, offset: float = 0.0, output: str = "y"
    ) -> Path:
        nodes = [
            helper.make_node("Mul", ["x", "slope"], ["scaled"]),
            helper.make_node("Add", ["scaled", "offset"], [output]),
        ]
        graph = helper.make_graph(
            nodes,
            "linear",
            [helper.make_tensor_value_info("x", TensorProto.FLOAT, ["rows", 3])],
            [helper.make_tensor_value_info(output, TensorProto.FLOAT, ["rows", 3])],
            [
                numpy_helper.from_array(np.array(slope, np.float32), "slope"),
                numpy_helper.from_array(np.array(offset, np.float32), "offset"),
            ],
        )
        path = tmp_path / name
        path.write_bytes(serialised(graph))
        return path

    return write


@pytest.fixture
def registry(tmp_path: Path) -> Iterator[Registry]:
    """A registry of one model."""
    with opened(tmp_path) as made:
        yield made


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    """An empty registry, with what validates and registers versions."""
    house = House(tmp_path)
    yield house
    house.store.close()
