from pathlib import Path

import numpy as np
import pytest
from onnx import TensorProto, helper

from gateway.runtime.session import Session
from gateway.runtime.signature import signature_of
from lifecycle.adapters.sandbox.probing import blank, latencies, probe, together
from tests.graphs import serialised
from tests.lifecycle import evil
from tests.lifecycle.evil import constant, save

X = np.arange(12, dtype=np.float32).reshape(4, 3)


def loaded(path: Path) -> Session:
    return Session(path.read_bytes(), signature_of(path.read_bytes()))


def spilling(path: Path) -> Path:
    """Takes the mean over all rows off each: what a neighbour holds matters."""
    nodes = [
        helper.make_node("ReduceMean", ["x"], ["mean"], axes=[0], keepdims=1),
        helper.make_node("Sub", ["x", "mean"], ["y"]),
    ]
    return save(path, nodes, ["rows", 3])


def mostly_alone(path: Path) -> Path:
    """Adds the sum over all rows, but only of what is above a million, which no row that is made up is."""
    nodes = [
        constant("limit", np.array(1e6, np.float32)),
        helper.make_node("Greater", ["x", "limit"], ["big"]),
        helper.make_node("Cast", ["big"], ["weight"], to=TensorProto.FLOAT),
        helper.make_node("ReduceSum", ["weight"], ["total"], keepdims=1),
        helper.make_node("Add", ["x", "total"], ["y"]),
    ]
    return save(path, nodes, ["rows", 3])


def texts(path: Path) -> Path:
    graph = helper.make_graph(
        [helper.make_node("Identity", ["x"], ["y"])],
        "g",
        [helper.make_tensor_value_info("x", TensorProto.STRING, ["rows"])],
        [helper.make_tensor_value_info("y", TensorProto.STRING, ["rows"])],
    )
    path.write_bytes(serialised(graph))
    return path


def test_a_row_that_changes_its_neighbours_answer_is_seen(tmp_path: Path) -> None:
    path = spilling(tmp_path / "model.onnx")
    signature = signature_of(path.read_bytes())
    found = {seen.name: seen for seen in probe(loaded(path), signature, {"x": X[:1]})}
    assert not found["NaN in 'x'"].kept
    assert not found["NaN in 'x'"].finite


def test_texts_are_tried_with_categories_never_seen(tmp_path: Path) -> None:
    path = texts(tmp_path / "model.onnx")
    signature = signature_of(path.read_bytes())
    found = list(probe(loaded(path), signature, blank(signature)))
    assert [seen.name for seen in found] == ["an unknown category in 'x'", "an empty text in 'x'"]
    assert all(seen.answered and seen.kept for seen in found)


def test_every_integer_is_tried_at_its_lowest(tmp_path: Path) -> None:
    path = evil.counting(tmp_path / "model.onnx")
    signature = signature_of(path.read_bytes())
    found = list(probe(loaded(path), signature, blank(signature)))
    assert [seen.name for seen in found] == ["the lowest number in 'a'", "the lowest number in 'b'"]
    assert all(seen.answered and seen.kept for seen in found)
    assert not list(probe(loaded(path), signature, blank(signature), integers=False))


def test_rows_that_workers_would_never_join_need_no_company(tmp_path: Path) -> None:
    path = spilling(tmp_path / "model.onnx")
    assert together(loaded(path), signature_of(path.read_bytes()), {"x": X}) is None


def test_company_that_only_real_rows_feel_is_found(tmp_path: Path) -> None:
    path = mostly_alone(tmp_path / "model.onnx")
    answers = together(loaded(path), signature_of(path.read_bytes()), {"x": X * 1e6})
    assert answers is not None
    single, joined = answers
    assert not np.allclose(single["y"], joined["y"])


@pytest.mark.parametrize("given", [True, False])
def test_rows_are_answered_alone_and_together(tmp_path: Path, given: bool) -> None:
    path = save(tmp_path / "model.onnx", [helper.make_node("Relu", ["x"], ["y"])], ["rows", 3])
    answers = together(loaded(path), signature_of(path.read_bytes()), {"x": X} if given else {})
    assert answers is not None
    np.testing.assert_array_equal(answers[0]["y"], answers[1]["y"])


def test_each_version_has_a_time_of_its_own(tmp_path: Path) -> None:
    path = save(tmp_path / "model.onnx", [helper.make_node("Relu", ["x"], ["y"])], ["rows", 3])
    took = latencies([(loaded(path), {"x": X}), (loaded(path), {"x": X})])
    assert len(took) == 2
    assert min(took) > 0
