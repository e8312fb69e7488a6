from collections.abc import Callable

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from lifecycle.adapters.graph import UnfitError, read_model
from lifecycle.core.validation import Limits


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


@pytest.mark.parametrize(
    "hide",
    [
        in_initializer,
        in_nul_location,
        only_marked_by_its_entries,
        in_constant,
        in_sparse_constant,
        in_sparse_initializer,
        in_subgraph,
        in_function,
        in_function_default,
    ],
)
def test_external_data_is_found_wherever_it_hides(hide: Callable[[], onnx.ModelProto]) -> None:
    with pytest.raises(UnfitError, match="another file"):
        read_model(hide().SerializeToString(), Limits())


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


@pytest.mark.parametrize(
    ("make", "says"),
    [
        (cycle, "checker"),
        (output_twice, "checker"),
        (negative_dimension, "negative dimension"),
        (data_too_short, "checker"),
        (unknown_domain, "unknown domain 'evil'"),
        (compiled_context, "loads files"),
        (trained, "training"),
    ],
)
def test_broken_graphs_are_refused_in_words(make: Callable[[], onnx.ModelProto], says: str) -> None:
    with pytest.raises(UnfitError, match=says) as caught:
        read_model(make().SerializeToString(), Limits())
    assert "\n" not in str(caught.value)


def test_nesting_and_size_have_caps() -> None:
    def nest(depth: int) -> onnx.ModelProto:
        graph = helper.make_graph([helper.make_node("Relu", ["x"], ["b"])], "leaf", [], [info("b")])
        for _ in range(depth):
            choose = helper.make_node("If", ["c"], ["b"], then_branch=graph, else_branch=graph)
            graph = helper.make_graph([choose], "g", [], [info("b")])
        condition = helper.make_node("Constant", [], ["c"], value=numpy_helper.from_array(np.array(True)))
        return build(condition, helper.make_node("If", ["c"], ["y"], then_branch=graph, else_branch=graph))

    assert read_model(nest(1).SerializeToString(), Limits(max_depth=3)) == 8
    with pytest.raises(UnfitError, match="nested deeper than 3"):
        read_model(nest(2).SerializeToString(), Limits(max_depth=3))
    with pytest.raises(UnfitError, match="more than 5 nodes"):
        read_model(nest(1).SerializeToString(), Limits(max_nodes=5))


def test_a_model_with_functions_of_its_own_is_fine() -> None:
    body = [helper.make_node("Relu", ["a"], ["b"])]
    function = helper.make_function("own", "Clip", ["a"], ["b"], body, [helper.make_opsetid("", 17)])
    model = build(helper.make_node("Clip", ["x"], ["y"], domain="own"), functions=[function])
    assert read_model(model.SerializeToString(), Limits()) == 2


def test_bytes_that_are_no_model_are_refused() -> None:
    whole = build(RELU).SerializeToString()
    for data in (b"", whole[:-5], b"\xff" * 100, b"hello"):
        with pytest.raises(UnfitError):
            read_model(data, Limits())
