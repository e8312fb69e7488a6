"""Models whose faults and whose work depend on what the caller draws, so that rates are known exactly."""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from onnx import ModelProto, TensorProto, helper, numpy_helper


def model(error_rate: float, slower: float, mark: int) -> ModelProto:
    """Takes `x` [1, 2]: a draw and an amount of work; answers `y` [1].

    Fails for draws within [0.5, 0.5 + error_rate): it then gathers what is out of range. The work is so many
    rounds of a loop, times `slower`. `mark` makes artifacts differ that do the same.
    """
    body = helper.make_graph(
        [
            helper.make_node("Mul", ["before", "shrink"], ["after"]),
            helper.make_node("Identity", ["go"], ["on"]),
        ],
        "round",
        [
            helper.make_tensor_value_info("turn", TensorProto.INT64, []),
            helper.make_tensor_value_info("go", TensorProto.BOOL, []),
            helper.make_tensor_value_info("before", TensorProto.FLOAT, [1]),
        ],
        [
            helper.make_tensor_value_info("on", TensorProto.BOOL, []),
            helper.make_tensor_value_info("after", TensorProto.FLOAT, [1]),
        ],
        [_constant("shrink", np.array([0.999], np.float32))],
    )
    nodes = [
        helper.make_node("Gather", ["x", "first"], ["draw"], axis=1),
        helper.make_node("Gather", ["x", "second"], ["work"], axis=1),
        helper.make_node("GreaterOrEqual", ["draw", "low"], ["above"]),
        helper.make_node("Less", ["draw", "high"], ["below"]),
        helper.make_node("And", ["above", "below"], ["ill"]),
        helper.make_node("Where", ["ill", "outside", "inside"], ["place"]),
        helper.make_node("Gather", ["table", "place"], ["start"]),
        helper.make_node("Mul", ["work", "slower"], ["rounds"]),
        helper.make_node("Cast", ["rounds"], ["trips"], to=TensorProto.INT64),
        helper.make_node("Loop", ["trips", "", "start"], ["y"], body=body),
    ]
    constants: dict[str, NDArray[np.generic]] = {
        "first": np.array(0, np.int64),
        "second": np.array(1, np.int64),
        "low": np.array([0.5], np.float32),
        "high": np.array([0.5 + error_rate], np.float32),
        "outside": np.array([9], np.int64),
        "inside": np.array([0], np.int64),
        "table": np.array([1.0], np.float32),
        "slower": np.array([slower], np.float32),
    }
    graph = helper.make_graph(
        nodes,
        "drawn",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, [1, 2])],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, [1])],
        [_constant(name, value) for name, value in constants.items()],
        doc_string=f"artifact {mark}",
    )
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9)


def write(path: Path, error_rate: float, slower: float, mark: int) -> Path:
    path.write_bytes(model(error_rate, slower, mark).SerializeToString())
    return path


def _constant(name: str, value: NDArray[np.generic]) -> TensorProto:
    return numpy_helper.from_array(value, name)
