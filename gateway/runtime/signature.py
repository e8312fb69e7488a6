"""Reads from an ONNX graph what a version takes and gives, and whether it may run for ever."""

from collections.abc import Iterable

import onnx
from google.protobuf.message import DecodeError
from onnx import AttributeProto, GraphProto, ModelProto, NodeProto, TensorProto, ValueInfoProto

from gateway.core.signature import Signature, TensorSpec

DATATYPES: dict[int, str] = {
    TensorProto.BOOL: "BOOL",
    TensorProto.UINT8: "UINT8",
    TensorProto.UINT16: "UINT16",
    TensorProto.UINT32: "UINT32",
    TensorProto.UINT64: "UINT64",
    TensorProto.INT8: "INT8",
    TensorProto.INT16: "INT16",
    TensorProto.INT32: "INT32",
    TensorProto.INT64: "INT64",
    TensorProto.FLOAT16: "FP16",
    TensorProto.FLOAT: "FP32",
    TensorProto.DOUBLE: "FP64",
    TensorProto.BFLOAT16: "BF16",
    TensorProto.STRING: "BYTES",
}
_LOOPS = {"Loop", "Scan"}


def signature_of(model: bytes) -> Signature:
    """The signature of a serialised ONNX model; free dimensions are -1.

    Raises:
        ValueError: the bytes are no ONNX model, or a tensor cannot be served. Says what to do.
    """
    graph = _parse(model).graph
    constants = {tensor.name for tensor in graph.initializer}
    inputs = [_spec("input", info) for info in graph.input if info.name not in constants]
    outputs = [_spec("output", info) for info in graph.output]
    if not inputs or not outputs:
        raise ValueError("the model has no inputs or no outputs")
    kinds = {spec.datatype for spec in inputs}
    if "BYTES" in kinds and "BF16" in kinds.union(spec.datatype for spec in outputs):
        raise ValueError("the runtime takes no text beside BF16; cast the BF16 tensors to FP32 in the graph")
    return Signature(tuple(inputs), tuple(outputs))


def loops(model: bytes) -> bool:
    """Whether a run's length depends on data: the graph, a subgraph or a function holds Loop or Scan."""
    proto = _parse(model)
    return _any_loop(proto.graph.node) or any(_any_loop(function.node) for function in proto.functions)


def _any_loop(nodes: Iterable[NodeProto]) -> bool:
    return any(node.op_type in _LOOPS or any(_any_loop(g.node) for g in _subgraphs(node)) for node in nodes)


def _subgraphs(node: NodeProto) -> Iterable[GraphProto]:
    for attribute in node.attribute:
        if attribute.type == AttributeProto.GRAPH:
            yield attribute.g
        yield from attribute.graphs


def _parse(model: bytes) -> ModelProto:
    try:
        return onnx.load_from_string(model)
    except DecodeError:
        raise ValueError("these bytes are not an ONNX model") from None


def _spec(side: str, info: ValueInfoProto) -> TensorSpec:
    kind = info.type.WhichOneof("value")
    if kind in ("sequence_type", "map_type"):
        raise ValueError(
            f"{side} {info.name!r} is a {kind.removesuffix('_type')}, and only tensors can be served; "
            "convert scikit-learn classifiers with `options={'zipmap': False}`, others with `zipmap=False`"
        )
    if kind != "tensor_type":
        raise ValueError(f"{side} {info.name!r} is not a plain tensor, and only tensors can be served")
    tensor = info.type.tensor_type
    datatype = DATATYPES.get(tensor.elem_type)
    if datatype is None:
        name = TensorProto.DataType.Name(tensor.elem_type)
        raise ValueError(f"{side} {info.name!r} is {name}; it can be one of {', '.join(DATATYPES.values())}")
    if not tensor.HasField("shape"):
        raise ValueError(f"{side} {info.name!r} has no shape; export the model with its shapes")
    return TensorSpec(info.name, datatype, tuple(_length(dim) for dim in tensor.shape.dim))


def _length(dim: onnx.TensorShapeProto.Dimension) -> int:
    return dim.dim_value if dim.dim_value > 0 else -1
