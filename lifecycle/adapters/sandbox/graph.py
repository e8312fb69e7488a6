"""Reads an ONNX file and refuses what the checker and the runtime let pass.

Runs in a disposable process only: it parses untrusted protobuf. The policy on external data is the
simplest that holds: none at all, wherever a tensor may hide.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field

import onnx
from google.protobuf.message import DecodeError

from lifecycle.core.inspection import Limits

DOMAINS = frozenset({"", "ai.onnx", "ai.onnx.ml", "com.microsoft"})
REFUSED_OPS = frozenset({("com.microsoft", "EPContext")})
"""EPContext names a compiled binary on disk."""


class UnfitError(Exception):
    """The artifact breaks a rule; the message says which, for people."""


def read_model(data: bytes, limits: Limits) -> int:
    """Check the structure of a serialised model; returns its number of nodes.

    Raises:
        UnfitError: it is not ONNX, or breaks a rule.
    """
    model = onnx.ModelProto()
    try:
        model.ParseFromString(data)
    except DecodeError:
        raise UnfitError("the file is not a complete ONNX model") from None
    if not model.HasField("graph"):
        raise UnfitError("the file holds no graph")
    _check_age(model)
    _check_shapes(model.graph)
    nodes = _Walk(limits, {(f.domain, f.name) for f in model.functions}).model(model)
    try:
        onnx.checker.check_model(model)
    except (onnx.checker.ValidationError, ValueError, RuntimeError) as error:
        raise UnfitError(f"the ONNX checker refuses it: {_first_line(error)}") from None
    return nodes


def _check_age(model: onnx.ModelProto) -> None:
    if model.ir_version > onnx.IR_VERSION:
        raise UnfitError(
            f"its IR version is {model.ir_version}, and {onnx.IR_VERSION} is the newest here; export it with "
            f"an older one, e.g. `model.ir_version = {onnx.IR_VERSION}`"
        )
    newest = onnx.defs.onnx_opset_version()
    for opset in model.opset_import:
        if opset.domain in ("", "ai.onnx") and opset.version > newest:
            raise UnfitError(
                f"its opset is {opset.version}, and {newest} is the newest here; export it with an older "
                f"one, e.g. `target_opset={newest}` of skl2onnx, `opset_version={newest}` of PyTorch"
            )


def _check_shapes(graph: onnx.GraphProto) -> None:
    for side, infos in (("input", graph.input), ("output", graph.output)):
        for info in infos:
            if info.type.HasField("tensor_type") and not info.type.tensor_type.HasField("shape"):
                raise UnfitError(
                    f"{side} {info.name!r} has no shape; export the model with its shapes, "
                    "`None` or a name where any length is allowed"
                )


@dataclass(slots=True)
class _Walk:
    """Visits every node and tensor of a model, graphs within graphs and functions included."""

    limits: Limits
    functions: set[tuple[str, str]]
    nodes: int = 0
    _pending: list[tuple[onnx.GraphProto, int]] = field(default_factory=list)

    def model(self, model: onnx.ModelProto) -> int:
        if model.training_info:
            raise UnfitError("it carries training information; export the model for inference")
        self._pending.append((model.graph, 1))
        for function in model.functions:
            self._visit(function.node, 1)
            for attribute in function.attribute_proto:
                self._attribute(attribute, 1)
        while self._pending:
            graph, depth = self._pending.pop()
            if depth > self.limits.max_depth:
                raise UnfitError(f"graphs are nested deeper than {self.limits.max_depth}")
            self._tensors(graph.initializer)
            self._sparse(graph.sparse_initializer)
            self._visit(graph.node, depth)
        return self.nodes

    def _visit(self, nodes: Iterable[onnx.NodeProto], depth: int) -> None:
        for node in nodes:
            self.nodes += 1
            if self.nodes > self.limits.max_nodes:
                raise UnfitError(f"it has more than {self.limits.max_nodes} nodes")
            own = (node.domain, node.op_type) in self.functions
            if node.domain not in DOMAINS and not own:
                raise UnfitError(
                    f"operator {node.op_type!r} is of the unknown domain {node.domain!r}; only operators of "
                    "ai.onnx, ai.onnx.ml and com.microsoft run here"
                )
            if (node.domain, node.op_type) in REFUSED_OPS:
                raise UnfitError(f"operator {node.op_type!r} loads files")
            for attribute in node.attribute:
                self._attribute(attribute, depth)

    def _attribute(self, attribute: onnx.AttributeProto, depth: int) -> None:
        if attribute.HasField("t"):
            self._tensors((attribute.t,))
        self._tensors(attribute.tensors)
        if attribute.HasField("sparse_tensor"):
            self._sparse((attribute.sparse_tensor,))
        self._sparse(attribute.sparse_tensors)
        if attribute.HasField("g"):
            self._pending.append((attribute.g, depth + 1))
        self._pending.extend((graph, depth + 1) for graph in attribute.graphs)

    def _sparse(self, tensors: Iterable[onnx.SparseTensorProto]) -> None:
        for tensor in tensors:
            self._tensors((tensor.values, tensor.indices))

    def _tensors(self, tensors: Iterable[onnx.TensorProto]) -> None:
        for tensor in tensors:
            if tensor.external_data or tensor.data_location == onnx.TensorProto.EXTERNAL:
                raise UnfitError(
                    f"tensor {tensor.name!r} is kept in another file; make the model one file, e.g. with "
                    "`onnx.save(onnx.load(PATH), PATH)`"
                )
            if any(dim < 0 for dim in tensor.dims):
                raise UnfitError(f"tensor {tensor.name!r} has a negative dimension")


def _first_line(error: Exception) -> str:
    return (str(error).strip().splitlines() or ["no reason given"])[0][:300]
