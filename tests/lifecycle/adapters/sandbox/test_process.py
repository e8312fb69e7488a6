import asyncio
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import onnx
import psutil
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from onnx import TensorProto, helper

from gateway.core.signature import Signature, TensorSpec
from lifecycle.adapters.sandbox.process import ProcessSandbox
from lifecycle.core.inspection import REFERENCE, Inspection, Limits
from lifecycle.core.validation import stopped
from lifecycle.core.verdict import Finding, Verdict
from tests.lifecycle import evil
from tests.lifecycle.evil import constant, endless, greedy, save

Write = Callable[..., Path]
LIMITS = Limits(wall_seconds=30, cpu_seconds=20)


def rows(path: Path, values: Sequence[Sequence[float]], **columns: Sequence[object]) -> Path:
    pq.write_table(pa.table({"x": pa.array(values, pa.list_(pa.float32())), **columns}), path)
    return path


async def failure(artifact: Path, limits: Limits = LIMITS, reference: Path | None = None) -> Finding:
    rows = {REFERENCE: reference} if reference is not None else {}
    seen = await ProcessSandbox().inspect(artifact, limits, rows)
    found = stopped(seen.findings)
    assert found is not None, seen
    assert found.verdict is Verdict.FAIL
    assert "/" not in found.reason.replace("N/A", "")
    return found


async def test_a_good_model_is_loaded_warmed_and_run_on_the_reference_rows(
    linear: Write, tmp_path: Path
) -> None:
    reference = rows(tmp_path / "rows.parquet", [[1, 2, 3]] * 300 + [[4, 5, 6]], label=[0] * 300 + [1])
    seen = await ProcessSandbox().inspect(linear(slope=2, offset=1), LIMITS, {REFERENCE: reference})
    assert [(finding.name, finding.verdict) for finding in seen.findings] == [
        ("structure", Verdict.PASS),
        ("load", Verdict.PASS),
        ("warm_up", Verdict.PASS),
    ]
    spec = TensorSpec("x", "FP32", (-1, 3))
    assert seen.signature == Signature((spec,), (TensorSpec("y", "FP32", (-1, 3)),))
    answers = seen.sets[REFERENCE]
    assert answers.outputs["y"].shape == (301, 3)
    np.testing.assert_array_equal(answers.outputs["y"][-1], [9, 11, 13])
    assert answers.labels is not None
    assert answers.labels[-1] == 1
    assert seen.cost is not None
    assert seen.cost.latency_ms > 0
    assert seen.cost.memory_mb < 4, "the runtime's own memory is counted to the version"
    assert seen.probes[0].name == "NaN in 'x'"
    assert all(probe.answered and probe.kept for probe in seen.probes)


async def test_the_champion_answers_the_labelled_rows_beside_it(linear: Write, tmp_path: Path) -> None:
    reference = rows(tmp_path / "rows.parquet", [[1, 2, 3]] * 20, label=[0] * 20)
    seen = await ProcessSandbox().inspect(
        linear("new.onnx", slope=2), LIMITS, {REFERENCE: reference}, linear("old.onnx", slope=3)
    )
    np.testing.assert_array_equal(seen.sets[REFERENCE].outputs["y"][0], [2, 4, 6])
    np.testing.assert_array_equal(seen.sets[REFERENCE].beside["y"][0], [3, 6, 9])
    assert len(seen.beside_probes) == len(seen.probes) > 0
    assert seen.beside is not None
    assert seen.beside.latency_ms > 0


async def test_a_champion_that_breaks_the_comparison_is_not_held_against_the_version(
    linear: Write, tmp_path: Path
) -> None:
    seen = await ProcessSandbox().inspect(
        linear(), Limits(wall_seconds=10, cpu_seconds=2), {}, endless(tmp_path / "loop.onnx")
    )
    found = stopped(seen.findings)
    assert found is not None
    assert (found.name, found.verdict) == ("cost", Verdict.ERROR)


async def test_a_model_that_only_odd_rows_can_hang_is_found(tmp_path: Path) -> None:
    """Runs a loop as long as NaN comes in, which no plain row does."""
    found = await failure(evil.endless_on_nan(tmp_path / "nan.onnx"), Limits(wall_seconds=6, cpu_seconds=2))
    assert found.name == "robustness"


async def test_a_model_that_a_division_of_integers_can_end_is_found(tmp_path: Path) -> None:
    found = await failure(evil.dividing(tmp_path / "model.onnx"))
    assert found.name == "robustness"
    assert "divides the lowest integer by -1" in found.reason


async def test_a_champion_that_a_division_can_end_is_not_held_against_its_successor(tmp_path: Path) -> None:
    path = tmp_path / "old.onnx"
    new = evil.counting(tmp_path / "new.onnx")
    seen = await ProcessSandbox().inspect(new, LIMITS, {}, evil.dividing(path))
    assert stopped(seen.findings) is None
    assert seen.beside is not None


async def test_bytes_that_are_not_onnx_fail_the_structure_gate(linear: Write, tmp_path: Path) -> None:
    truncated = tmp_path / "truncated.onnx"
    truncated.write_bytes(linear().read_bytes()[:-20])
    noise = tmp_path / "noise.onnx"
    noise.write_bytes(np.random.default_rng(1).bytes(4096))
    for artifact in (truncated, noise):
        assert (await failure(artifact)).name == "structure"


async def test_an_operator_set_of_the_future_is_refused(linear: Write) -> None:
    path = linear()
    model = onnx.load_model(str(path))
    model.opset_import[0].version = 10_000
    onnx.save_model(model, str(path))
    assert (await failure(path)).name == "structure"


async def test_an_endless_loop_is_ended_and_named(tmp_path: Path) -> None:
    found = await failure(endless(tmp_path / "loop.onnx"), Limits(wall_seconds=6, cpu_seconds=2))
    assert found.name == "warm_up"
    assert "s of processor time" in found.reason or "longer than 6 s" in found.reason


async def test_a_vast_allocation_fails_the_warm_up_and_no_other_process(tmp_path: Path) -> None:
    assert (await failure(greedy(tmp_path / "greedy.onnx"))).name in ("load", "warm_up")


async def test_sequence_outputs_are_refused_with_the_way_out(tmp_path: Path) -> None:
    path = save(tmp_path / "zip.onnx", [helper.make_node("SequenceConstruct", ["x"], ["y"])], ["rows", 3])
    model = onnx.load_model(str(path))
    tensor = helper.make_tensor_type_proto(TensorProto.FLOAT, ["rows", 3])
    del model.graph.output[:]
    model.graph.output.append(helper.make_value_info("y", helper.make_sequence_type_proto(tensor)))
    onnx.save_model(model, str(path))
    found = await failure(path)
    assert found.name == "load"
    assert "zipmap=False" in found.reason


async def test_an_output_of_another_shape_than_declared_is_refused(tmp_path: Path) -> None:
    nodes = [helper.make_node("ReduceSum", ["x"], ["y"], keepdims=0)]
    found = await failure(save(tmp_path / "shape.onnx", nodes, ["rows", 7]))
    assert found.name in ("structure", "load", "warm_up")


async def test_reference_rows_that_do_not_fit_are_said_to_be_the_reason(
    linear: Write, tmp_path: Path
) -> None:
    found = await failure(linear(), reference=rows(tmp_path / "rows.parquet", [[1, 2]]))
    assert found.name == "finite_outputs"
    assert "'x' has rows of shape [2]" in found.reason


async def test_too_little_memory_to_begin_with_says_nothing_of_the_artifact(linear: Write) -> None:
    seen = await ProcessSandbox().inspect(linear(), Limits(memory_mb=64))
    found = stopped(seen.findings)
    assert found is not None
    assert found.verdict is Verdict.ERROR


async def test_only_as_many_reference_rows_run_as_may_be_sent_back(linear: Write, tmp_path: Path) -> None:
    reference = rows(tmp_path / "rows.parquet", [[1, 2, 3]] * 4000)
    seen = await ProcessSandbox().inspect(linear(), Limits(max_result_bytes=40_000), {REFERENCE: reference})
    assert 100 < len(seen.sets[REFERENCE].outputs["y"]) < 1000


async def test_an_answer_over_the_cap_is_not_read_to_its_end(tmp_path: Path) -> None:
    nodes = [constant("many", np.array([1, 3000], np.int64)), helper.make_node("Tile", ["x", "many"], ["y"])]
    reference = rows(tmp_path / "rows.parquet", [[1, 2, 3]] * 40)
    found = await failure(
        save(tmp_path / "wide.onnx", nodes, ["rows", 9000]), Limits(max_result_bytes=20_000), reference
    )
    assert found.name == "finite_outputs"
    assert "over 20000 bytes" in found.reason


async def test_a_caller_that_gives_up_leaves_no_process_behind(tmp_path: Path) -> None:
    before = psutil.Process().children()
    inspecting = asyncio.create_task(ProcessSandbox().inspect(endless(tmp_path / "loop.onnx"), LIMITS))
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(inspecting, 0.5)
    assert not set(psutil.Process().children()) - set(before)


async def test_a_missing_artifact_is_an_error_not_a_failure(tmp_path: Path) -> None:
    seen: Inspection = await ProcessSandbox().inspect(tmp_path / "gone.onnx", LIMITS)
    found = stopped(seen.findings)
    assert found is not None
    assert found.verdict is Verdict.ERROR
