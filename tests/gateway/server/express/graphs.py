"""Models that are easy to foretell, or not at all."""

from onnx import TensorProto, helper

from tests.gateway.conftest import tensor
from tests.graphs import serialised


def copies(name: str, kind: int, takes: str = "x") -> bytes:
    """Gives back its only input: `x` [n, 3] -> `y` [n, 3]."""
    graph = helper.make_graph(
        [helper.make_node("Identity", [takes], ["y"])],
        name,
        [tensor(takes, kind, ["n", 3])],
        [tensor("y", kind, ["n", 3])],
    )
    return serialised(graph)


def noise() -> bytes:
    """Answers anything at random: `x` [n, 3] -> `y` [n, 3]."""
    graph = helper.make_graph(
        [helper.make_node("RandomUniformLike", ["x"], ["y"], dtype=TensorProto.FLOAT)],
        "noise",
        [tensor("x", TensorProto.FLOAT, ["n", 3])],
        [tensor("y", TensorProto.FLOAT, ["n", 3])],
    )
    return serialised(graph)
