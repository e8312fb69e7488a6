"""Models that mean harm, or are broken, each in a way of its own."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from tests.graphs import serialised

Make = Callable[[], onnx.ModelProto]


def info(name: str) -> onnx.ValueInfoProto:
    return helper.make_tensor_value_info(name, TensorProto.FLOAT, ["rows", 3])


def build(
    *nodes: onnx.NodeProto, initializers: tuple[onnx.TensorProto, ...] = (), **more: object
) -> onnx.ModelProto:
    graph = helper.make_graph(list(nodes), "g", [info("x")], [info("y")], list(initializers))
    opsets = [helper.make_opsetid("", 17), helper.make_opsetid("own", 1), helper.make_opsetid("evil", 1)]
    return helper.make_model(graph, opset_imports=opsets, ir_version=9, **more)


def external(name: str, location: str = "weights.bin") -> onnx.TensorProto:
    tensor = TensorProto(name=name, data_type=TensorProto.FLOAT, dims=[3])
    tensor.data_location = TensorProto.EXTERNAL
    tensor.external_data.add(key="location", value=location)
    return tensor


RELU = helper.make_node("Relu", ["x"], ["y"])
ADD = helper.make_node("Add", ["x", "w"], ["y"])


def in_initializer() -> onnx.ModelProto:
    return build(ADD, initializers=(external("w"),))


def in_nul_location() -> onnx.ModelProto:
    return build(ADD, initializers=(external("w", "weights\0.bin"),))


def only_marked_by_its_entries() -> onnx.ModelProto:
    tensor = external("w")
    tensor.data_location = TensorProto.DEFAULT
    return build(ADD, initializers=(tensor,))


def in_constant() -> onnx.ModelProto:
    return build(helper.make_node("Constant", [], ["w"], value=external("w")), ADD)


def in_sparse_constant() -> onnx.ModelProto:
    indices = numpy_helper.from_array(np.array([0, 1, 2]), "i")
    sparse = onnx.SparseTensorProto(values=external("w"), indices=indices, dims=[3])
    return build(helper.make_node("Constant", [], ["w"], sparse_value=sparse), ADD)


def in_sparse_initializer() -> onnx.ModelProto:
    model = build(ADD)
    sparse = model.graph.sparse_initializer.add(dims=[3])
    sparse.values.CopyFrom(external("w"))
    return model


def in_subgraph() -> onnx.ModelProto:
    branch = helper.make_graph(
        [helper.make_node("Identity", ["w"], ["b"])], "b", [], [info("b")], [external("w")]
    )
    condition = helper.make_node("Constant", [], ["c"], value=numpy_helper.from_array(np.array(True)))
    return build(condition, helper.make_node("If", ["c"], ["y"], then_branch=branch, else_branch=branch))


def in_function() -> onnx.ModelProto:
    body = [
        helper.make_node("Constant", [], ["w"], value=external("w")),
        helper.make_node("Add", ["a", "w"], ["b"]),
    ]
    function = helper.make_function("own", "Shift", ["a"], ["b"], body, [helper.make_opsetid("", 17)])
    return build(helper.make_node("Shift", ["x"], ["y"], domain="own"), functions=[function])


def in_function_default() -> onnx.ModelProto:
    body = [helper.make_node("Relu", ["a"], ["b"])]
    default = helper.make_attribute("w", external("w"))
    function = helper.make_function(
        "own", "Shift", ["a"], ["b"], body, [helper.make_opsetid("", 17)], attribute_protos=[default]
    )
    return build(helper.make_node("Shift", ["x"], ["y"], domain="own"), functions=[function])


HIDDEN_DATA: tuple[Make, ...] = (
    in_initializer,
    in_nul_location,
    only_marked_by_its_entries,
    in_constant,
    in_sparse_constant,
    in_sparse_initializer,
    in_subgraph,
    in_function,
    in_function_default,
)


def cycle() -> onnx.ModelProto:
    return build(helper.make_node("Add", ["x", "b"], ["a"]), helper.make_node("Add", ["a", "x"], ["b"]), RELU)


def output_twice() -> onnx.ModelProto:
    return build(RELU, RELU)


def negative_dimension() -> onnx.ModelProto:
    return build(ADD, initializers=(TensorProto(name="w", data_type=TensorProto.FLOAT, dims=[-3]),))


def data_too_short() -> onnx.ModelProto:
    tensor = TensorProto(name="w", data_type=TensorProto.FLOAT, dims=[1 << 40], raw_data=b"1234")
    return build(ADD, initializers=(tensor,))


def unknown_domain() -> onnx.ModelProto:
    return build(helper.make_node("Shell", ["x"], ["y"], domain="evil"))


def compiled_context() -> onnx.ModelProto:
    return build(helper.make_node("EPContext", ["x"], ["y"], domain="com.microsoft"))


def trained() -> onnx.ModelProto:
    model = build(RELU)
    model.training_info.add()
    return model


def save(
    path: Path, nodes: list[onnx.NodeProto], output: list[int | str], kind: int = TensorProto.FLOAT
) -> Path:
    graph = helper.make_graph(
        nodes,
        "g",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, ["rows", 3])],
        [helper.make_tensor_value_info("y", kind, output)],
    )
    path.write_bytes(serialised(graph))
    return path


def constant(name: str, value: np.ndarray[tuple[int, ...], np.dtype[np.generic]]) -> onnx.NodeProto:
    return helper.make_node("Constant", [], [name], value=numpy_helper.from_array(value))


def endless(path: Path) -> Path:
    """A Loop whose condition is always true and whose trip count is the highest there is."""
    return looping(path, helper.make_node("Identity", ["go_in"], ["go_out"]))


def endless_on_nan(path: Path) -> Path:
    """A Loop that goes on while its input holds NaN."""
    return looping(
        path,
        helper.make_node("IsNaN", ["in"], ["nans"]),
        helper.make_node("Cast", ["nans"], ["counts"], to=TensorProto.FLOAT),
        helper.make_node("ReduceMax", ["counts"], ["any"], keepdims=0),
        helper.make_node("Cast", ["any"], ["go_out"], to=TensorProto.BOOL),
    )


def counting(path: Path) -> Path:
    """Adds `b` to `a`: no evil at all."""
    return _of_integers(path, helper.make_node("Add", ["a", "b"], ["y"]))


def dividing(path: Path) -> Path:
    """Divides `a` by `2 b + 1`, which zeros do no harm."""
    nodes = [
        constant("two", np.array(2)),
        constant("one", np.array(1)),
        helper.make_node("Mul", ["b", "two"], ["even"]),
        helper.make_node("Add", ["even", "one"], ["odd"]),
        helper.make_node("Div", ["a", "odd"], ["y"]),
    ]
    return _of_integers(path, *nodes)


def _of_integers(path: Path, *nodes: onnx.NodeProto) -> Path:
    a, b, y = (helper.make_tensor_value_info(name, TensorProto.INT64, ["rows"]) for name in "aby")
    path.write_bytes(serialised(helper.make_graph(list(nodes), "g", [a, b], [y])))
    return path


def looping(path: Path, *condition: onnx.NodeProto) -> Path:
    """A Loop that gives `x` back, and goes on while `condition` makes `go_out` true of `go_in` or `in`."""
    body = helper.make_graph(
        [*condition, helper.make_node("Identity", ["in"], ["out"])],
        "body",
        [
            helper.make_tensor_value_info("i", TensorProto.INT64, []),
            helper.make_tensor_value_info("go_in", TensorProto.BOOL, []),
            helper.make_tensor_value_info("in", TensorProto.FLOAT, None),
        ],
        [
            helper.make_tensor_value_info("go_out", TensorProto.BOOL, []),
            helper.make_tensor_value_info("out", TensorProto.FLOAT, None),
        ],
    )
    nodes = [
        constant("trips", np.array(2**62, np.int64)),
        constant("go", np.array(True)),
        helper.make_node("Loop", ["trips", "go", "x"], ["y"], body=body),
    ]
    return save(path, nodes, ["rows", 3])


def greedy(path: Path) -> Path:
    """Asks for a tensor of 4 TB."""
    nodes = [
        constant("shape", np.array([1 << 20, 1 << 20], np.int64)),
        helper.make_node("ConstantOfShape", ["shape"], ["vast"]),
        helper.make_node("ReduceMax", ["vast"], ["most"], keepdims=0),
        helper.make_node("Add", ["x", "most"], ["y"]),
    ]
    return save(path, nodes, ["rows", 3])
