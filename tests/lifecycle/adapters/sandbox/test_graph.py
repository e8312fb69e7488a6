import numpy as np
import onnx
import pytest
from onnx import helper, numpy_helper

from lifecycle.adapters.sandbox.graph import UnfitError, read_model
from lifecycle.core.inspection import Limits
from tests.lifecycle.evil import (
    HIDDEN_DATA,
    RELU,
    Make,
    build,
    compiled_context,
    cycle,
    data_too_short,
    info,
    negative_dimension,
    output_twice,
    trained,
    unknown_domain,
)


@pytest.mark.parametrize("hide", HIDDEN_DATA)
def test_external_data_is_found_wherever_it_hides(hide: Make) -> None:
    with pytest.raises(UnfitError, match="another file"):
        read_model(hide().SerializeToString(), Limits())


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
def test_broken_graphs_are_refused_in_words(make: Make, says: str) -> None:
    with pytest.raises(UnfitError, match=says) as caught:
        read_model(make().SerializeToString(), Limits())
    assert "\n" not in str(caught.value)


def too_new(**of: int) -> onnx.ModelProto:
    model = build(RELU)
    model.ir_version = of.get("ir", model.ir_version)
    model.opset_import[0].version = of.get("opset", 17)
    return model


def without_a_shape() -> onnx.ModelProto:
    model = build(RELU)
    model.graph.output[0].type.tensor_type.ClearField("shape")
    return model


@pytest.mark.parametrize(
    ("model", "says"),
    [
        (too_new(ir=99), r"its IR version is 99, .* `model\.ir_version = \d+`"),
        (too_new(opset=99), r"its opset is 99, and \d+ is the newest here; .*`target_opset=\d+`"),
        (without_a_shape(), "output 'y' has no shape"),
        (unknown_domain(), "only operators of ai.onnx"),
    ],
)
def test_what_an_exporter_can_mend_is_told_with_the_way_to_mend_it(model: onnx.ModelProto, says: str) -> None:
    with pytest.raises(UnfitError, match=says):
        read_model(model.SerializeToString(), Limits())


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
