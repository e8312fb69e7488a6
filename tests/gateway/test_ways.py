"""The same answer, whichever way a request came: by the edge or not, over HTTP or gRPC, in any encoding."""

from collections.abc import Iterator
from typing import Any

import httpx
import numpy as np
import pytest
from onnx import TensorProto, helper

from gateway.core.types import NUMPY_DTYPES, Array
from gateway.errors import ErrorCode
from gateway.protocols.status import STATUS
from gateway.protocols.tensors import to_raw
from gateway.runtime.signature import DATATYPES
from tests.gateway.conftest import tensor
from tests.gateway.node import Node, config_of
from tests.gateway.ways import Question, Told, grpc_ways, http_ways
from tests.graphs import serialised

KINDS = {datatype: kind for kind, datatype in DATATYPES.items()}
ROWS = np.array([[3, 1, 2, 0]], np.float32)


def _copy(datatype: str) -> bytes:
    """Gives back what it takes: `rows` [n, m], both free, and `one`, a scalar."""
    kind = KINDS[datatype]
    shapes: dict[str, list[int | str]] = {"rows": ["n", "m"], "one": []}
    return serialised(
        helper.make_graph(
            [helper.make_node("Identity", [name], [f"{name}_out"]) for name in shapes],
            "copy",
            [tensor(name, kind, shape) for name, shape in shapes.items()],
            [tensor(f"{name}_out", kind, shape) for name, shape in shapes.items()],
        )
    )


def _step(width: int = 4) -> bytes:
    """A model with a state: `x` FP32 [1, 4] and `state` FP32 [1, 4] -> `y`, their sum, and `next_state`."""
    shape: list[int | str] = [1, width]
    return serialised(
        helper.make_graph(
            [
                helper.make_node("Add", ["x", "state"], ["y"]),
                helper.make_node("Identity", ["y"], ["next_state"]),
            ],
            "step",
            [tensor(name, TensorProto.FLOAT, shape) for name in ("x", "state")],
            [tensor(name, TensorProto.FLOAT, shape) for name in ("y", "next_state")],
        )
    )


def _fails() -> bytes:
    """`x` INT64 [n] says which of two numbers are wanted; there is no ninth."""
    return serialised(
        helper.make_graph(
            [helper.make_node("Gather", ["numbers", "x"], ["y"])],
            "fails",
            [tensor("x", TensorProto.INT64, ["n"])],
            [tensor("y", TensorProto.FLOAT, ["n"])],
            [helper.make_tensor("numbers", TensorProto.FLOAT, [2], [0.0, 1.0])],
        )
    )


@pytest.fixture(scope="module")
def node(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Node]:
    models = {f"copy-{datatype}": _copy(datatype) for datatype in KINDS}
    models |= {"step": _step(), "loading": _step(5), "fails": _fails(), "resting": _step(6)}
    with Node(config_of(tmp_path_factory.mktemp("home")), models) as node:
        yield node


def every_way(node: Node, asked: Question) -> dict[str, Told]:
    """What each way tells."""
    return {
        f"{way}, {name}": told
        for name, (http, grpc) in (("edge", node.edge), ("direct", node.direct))
        for ways, port in ((http_ways, http), (grpc_ways, grpc))
        for way, told in ways(port, asked)
    }


def values(datatype: str, rows: int) -> Array:
    """[rows, 3], with the bounds of the type among them."""
    dtype = NUMPY_DTYPES[datatype]
    if datatype == "BYTES":
        return np.array(["é".encode(), b"", b"null"] * rows, object).reshape(rows, 3)
    if datatype == "BOOL":
        return np.array([True, False, True] * rows, dtype).reshape(rows, 3)
    if "INT" in datatype:
        bounds = np.iinfo(dtype.name)
        return np.array([bounds.min, bounds.max, 7] * rows, dtype).reshape(rows, 3)
    return np.array([-0.0, 1 / 3, 6e4] * rows, np.float64).astype(dtype).reshape(rows, 3)


@pytest.mark.parametrize("rows", [0, 1, 2])
@pytest.mark.parametrize("datatype", NUMPY_DTYPES)
def test_every_type_comes_back_bit_for_bit(datatype: str, rows: int, node: Node) -> None:
    sent = values(datatype, rows)
    one = values(datatype, 1)[0, 1]
    scalar = np.array(one, sent.dtype)
    answers = every_way(node, Question(f"copy-{datatype}", {"rows": sent, "one": scalar}))
    assert len(answers) >= 6
    for way, told in answers.items():
        assert told.error == "", way
        assert list(told.outputs) == ["rows_out", "one_out"], way
        for array, back in zip((sent, scalar), told.outputs.values(), strict=True):
            assert (back.dtype, back.shape) == (array.dtype, array.shape), way
            assert to_raw(back) == to_raw(array), way


QUESTIONS: dict[str, dict[str, Any]] = {
    "an id and a pinned version": {"id": "a b", "version": "1"},
    "a version by its alias": {"version": "champion"},
    "one output of two": {"outputs": {"next_state": 0}},
    "outputs in another order": {"outputs": {"next_state": 0, "y": 0}},
    "the two best classes": {"outputs": {"y": 2}},
    "more classes than there are": {"outputs": {"y": 9}},
    "parameters of every type": {"parameters": {"routing_key": "k", "a": 1, "b": 0.5, "c": True, "d": "t"}},
}


@pytest.mark.parametrize("name", QUESTIONS)
def test_all_else_in_an_answer_is_the_same_too(name: str, node: Node) -> None:
    asked = Question("step", {"x": ROWS, "state": ROWS}, **QUESTIONS[name])
    answers = every_way(node, asked)
    assert len(answers) == 12
    for way, told in answers.items():
        assert (told.error, told.version, told.id) == ("", "1", asked.id), way
        assert list(told.outputs) == [
            n for n in ("y", "next_state") if n in asked.outputs or not asked.outputs
        ]
    raws = {tuple((name, to_raw(array)) for name, array in told.outputs.items()) for told in answers.values()}
    assert len(raws) == 1


def test_a_state_goes_from_answer_to_request(node: Node) -> None:
    state: Array = np.zeros((1, 4), np.float32)
    for step in range(1, 4):
        answers = every_way(node, Question("step", {"x": ROWS, "state": state}))
        (state,) = {
            to_raw(told.outputs["next_state"]): told.outputs["next_state"] for told in answers.values()
        }.values()
        np.testing.assert_array_equal(state, step * ROWS)


@pytest.mark.parametrize("way", ["edge", "direct"])
def test_v1_gives_the_same_numbers(way: str, node: Node) -> None:
    port, _ = getattr(node, way)
    asked = {"x": ROWS.tolist(), "state": ROWS.tolist()}
    answer = httpx.post(f"http://127.0.0.1:{port}/v1/models/step:predict", json={"inputs": asked})
    assert answer.json() == {"outputs": {"y": (2 * ROWS).tolist(), "next_state": (2 * ROWS).tolist()}}


def _step_with(**inputs: Array) -> dict[str, Any]:
    return {"model": "step", "inputs": {"x": ROWS, "state": ROWS} | inputs}


FAULTS: dict[str, tuple[ErrorCode, dict[str, Any]]] = {
    "an unknown model": (ErrorCode.NOT_FOUND, _step_with() | {"model": "none"}),
    "a bad name": (ErrorCode.INVALID, _step_with() | {"model": ".none"}),
    "an unknown version": (ErrorCode.NOT_FOUND, _step_with() | {"version": "9"}),
    "a bad version": (ErrorCode.INVALID, _step_with() | {"version": "1e3"}),
    "an alias that stands for nothing": (ErrorCode.NOT_FOUND, _step_with() | {"version": "canary"}),
    "loading": (ErrorCode.NOT_READY, _step_with() | {"model": "loading"}),
    "without traffic": (ErrorCode.NOT_READY, _step_with() | {"model": "resting"}),
    "another type": (ErrorCode.INVALID, _step_with(x=np.ones((1, 4)))),
    "another rank": (ErrorCode.INVALID, _step_with(x=np.ones(4, np.float32))),
    "another length": (ErrorCode.INVALID, _step_with(x=np.ones((1, 5), np.float32))),
    "more rows than the model takes": (ErrorCode.INVALID, _step_with(x=np.ones((2, 4), np.float32))),
    "a missing input": (ErrorCode.INVALID, {"model": "step", "inputs": {"x": ROWS}}),
    "an unknown input": (ErrorCode.INVALID, _step_with(z=ROWS)),
    "an unknown output": (ErrorCode.INVALID, _step_with() | {"outputs": {"z": 0}}),
    "fewer than no classes": (ErrorCode.INVALID, _step_with() | {"outputs": {"y": -1}}),
    "a long id": (ErrorCode.INVALID, _step_with() | {"id": "i" * 257}),
    "shared memory": (ErrorCode.INVALID, _step_with() | {"parameters": {"shared_memory_region": "r"}}),
    "a sequence": (ErrorCode.INVALID, _step_with() | {"parameters": {"sequence_id": 5}}),
    "a timeout that is none": (ErrorCode.INVALID, _step_with() | {"parameters": {"timeout": "soon"}}),
}


@pytest.mark.parametrize("name", FAULTS)
def test_a_fault_has_the_same_code_and_the_same_words(name: str, node: Node) -> None:
    code, asked = FAULTS[name]
    status = STATUS[code]
    answers = every_way(node, Question(**asked))
    for way, told in answers.items():
        assert told.status in (status.http, status.grpc_name, ""), (way, told)
        assert told.error, way
    assert len({(told.error, told.version, told.named) for told in answers.values()}) == 1, answers


def test_a_failure_names_the_version_and_the_prediction(node: Node) -> None:
    for way, told in every_way(node, Question("fails", {"x": np.array([9], np.int64)})).items():
        assert (told.error, told.version, told.named) == ("the model failed on this input", "1", True), way


PLAIN = {
    "an unknown model": ("none", "", 404, "no model named 'none' is served here"),
    "an unknown version": ("step", "/versions/9", 404, "model 'step' has no version 9 loaded; there is 1"),
    "without traffic": ("resting", "", 503, "model 'resting' has no version with traffic"),
}


@pytest.mark.parametrize("name", PLAIN)
@pytest.mark.parametrize("way", ["edge", "direct"])
def test_bodies_without_types_are_told_the_same(way: str, name: str, node: Node) -> None:
    model, version, status, error = PLAIN[name]
    port, _ = getattr(node, way)
    at, rows = f"http://127.0.0.1:{port}", {"instances": [[0]]}
    answers = [
        httpx.post(f"{at}/v2/models/{model}{version}/infer", json={"inputs": []}),
        httpx.post(f"{at}/v1/models/{model}{version}:predict", json=rows),
    ]
    if not version:
        answers.append(httpx.post(f"{at}/serving-endpoints/{model}/invocations", json=rows))
    for answer in answers:
        assert (answer.status_code, answer.json()) == (status, {"error": error})
        assert ("retry-after" in answer.headers) == (status == 503)
