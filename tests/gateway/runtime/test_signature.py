import numpy as np
import pytest
from onnx import TensorProto, ValueInfoProto, helper
from skl2onnx import convert_sklearn
from skl2onnx.common.data_types import FloatTensorType
from sklearn.linear_model import LogisticRegression

from gateway.core.signature import TensorSpec
from gateway.runtime.signature import loops, signature_of


def graph(inputs: list[ValueInfoProto], outputs: list[ValueInfoProto]) -> bytes:
    nodes = [helper.make_node("Identity", [inputs[0].name], [outputs[0].name])]
    return helper.make_model(helper.make_graph(nodes, "g", inputs, outputs)).SerializeToString()


def info(name: str, kind: int, shape: list[int | str | None] | None) -> ValueInfoProto:
    return helper.make_tensor_value_info(name, kind, shape)


def test_reads_names_types_and_free_dimensions(logistic: bytes) -> None:
    signature = signature_of(logistic)
    assert signature.inputs == (TensorSpec("x", "FP32", (-1, 30)),)
    assert signature.outputs == (
        TensorSpec("label", "INT64", (-1,)),
        TensorSpec("probabilities", "FP32", (-1, 2)),
    )
    assert signature.batched


def test_reads_text(text: bytes) -> None:
    assert signature_of(text).inputs[0].datatype == "BYTES"


def test_a_map_output_is_refused_with_the_way_out() -> None:
    classifier = LogisticRegression().fit(np.array([[0.0], [1.0]]), np.array([0, 1]))
    model = convert_sklearn(
        classifier, initial_types=[("x", FloatTensorType([None, 1]))], target_opset={"": 17, "ai.onnx.ml": 3}
    )
    with pytest.raises(ValueError, match="zipmap=False"):
        signature_of(model.SerializeToString())


def test_an_unsupported_type_is_named() -> None:
    model = graph([info("x", TensorProto.FLOAT8E4M3FN, [1])], [info("y", TensorProto.FLOAT8E4M3FN, [1])])
    with pytest.raises(ValueError, match="'x' is FLOAT8E4M3FN"):
        signature_of(model)


def test_text_beside_bf16_is_refused_with_the_way_out() -> None:
    text, half = info("s", TensorProto.STRING, [1]), info("y", TensorProto.BFLOAT16, [1])
    with pytest.raises(ValueError, match="cast the BF16 tensors to FP32"):
        signature_of(graph([text], [half]))


def test_a_tensor_without_a_shape_is_refused() -> None:
    model = graph([info("x", TensorProto.FLOAT, [1])], [info("y", TensorProto.FLOAT, None)])
    with pytest.raises(ValueError, match="'y' has no shape"):
        signature_of(model)


def test_constants_that_old_models_list_as_inputs_are_not_inputs() -> None:
    node = helper.make_node("Add", ["x", "w"], ["y"])
    weights = helper.make_tensor("w", TensorProto.FLOAT, [1], [1.0])
    both = [info("x", TensorProto.FLOAT, [1]), info("w", TensorProto.FLOAT, [1])]
    old = helper.make_graph([node], "g", both, [info("y", TensorProto.FLOAT, [1])], [weights])
    signature = signature_of(helper.make_model(old).SerializeToString())
    assert [spec.name for spec in signature.inputs] == ["x"]


@pytest.mark.parametrize("junk", [b"", b"\x00" * 40, b"not a model"])
def test_junk_is_refused(junk: bytes) -> None:
    with pytest.raises(ValueError, match=r"not an ONNX model|no inputs"):
        signature_of(junk)


def test_loops_are_found_also_in_branches(endless: bytes, logistic: bytes) -> None:
    assert loops(endless)
    assert not loops(logistic)
    scan = helper.make_node("Scan", ["x"], ["y"], num_scan_inputs=1)
    branch = helper.make_graph([scan], "branch", [], [info("y", TensorProto.FLOAT, [1])])
    node = helper.make_node("If", ["c"], ["z"], then_branch=branch, else_branch=branch)
    inputs, outputs = [info("c", TensorProto.BOOL, [])], [info("z", TensorProto.FLOAT, [1])]
    assert loops(helper.make_model(helper.make_graph([node], "g", inputs, outputs)).SerializeToString())
