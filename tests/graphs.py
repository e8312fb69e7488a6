"""ONNX graphs made into files by one opset, for tests of every part."""

import onnx
from onnx import helper


def serialised(graph: onnx.GraphProto) -> bytes:
    """A model of the graph, which must be a good one."""
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    onnx.checker.check_model(model)
    return model.SerializeToString()
