"""What becomes of a version that is judged, with real models in a real sandbox where that matters."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

from gateway.core.capture import Capture, blocks
from gateway.core.types import Role
from lifecycle.commands.registry.intake import Submission
from lifecycle.core.governance.policy import Policy
from lifecycle.core.inspection import Inspection
from lifecycle.core.stages import Stage
from lifecycle.core.validation import GATES
from lifecycle.core.verdict import Finding, Verdict
from lifecycle.core.version import Version
from lifecycle.errors import LifecycleCode, LifecycleError
from tests.graphs import serialised
from tests.lifecycle.registry import GOOD, House

Write = Callable[..., Path]
ROWS = np.random.default_rng(7).normal(size=(1200, 3)).astype(np.float32)


def table(path: Path, **columns: object) -> Path:
    pq.write_table(pa.table({"x": pa.array(ROWS.tolist(), pa.list_(pa.float32())), **columns}), path)
    return path


def truth(rows: NDArray[np.float32] = ROWS) -> NDArray[np.int64]:
    return (rows[:, 0] + rows[:, 1] > 0).astype(np.int64)


def classifier(path: Path, weights: tuple[float, float, float], name: str = "x") -> Path:
    """Probabilities [rows, 2] of a logistic regression without intercept."""
    nodes = [
        helper.make_node("MatMul", [name, "w"], ["score"]),
        helper.make_node("Sigmoid", ["score"], ["yes"]),
        helper.make_node("Sub", ["one", "yes"], ["no"]),
        helper.make_node("Concat", ["no", "yes"], ["p"], axis=1),
    ]
    constants = {"w": np.array(weights, np.float32)[:, None] * 3, "one": np.ones((1, 1), np.float32)}
    graph = helper.make_graph(
        nodes,
        "g",
        [helper.make_tensor_value_info(name, TensorProto.FLOAT, ["rows", 3])],
        [helper.make_tensor_value_info("p", TensorProto.FLOAT, ["rows", 2])],
        [numpy_helper.from_array(value, key) for key, value in constants.items()],
    )
    path.write_bytes(serialised(graph))
    return path


def evidence(version: Version) -> dict[str, Finding]:
    return {finding.name: finding for finding in version.evidence}


async def test_the_way_through_all_gates(house: House, linear: Write, tmp_path: Path) -> None:
    rows = table(tmp_path / "rows.parquet")
    await house.real.register("m", linear(), actor="ann", given=Submission(reference=rows))
    version = await house.judged.validate("m", 1, "ann")
    assert (version.stage, [yes.by for yes in version.approvals]) == (Stage.APPROVED, ["policy"])
    assert [finding.name for finding in version.evidence] == list(GATES)
    house.models.reject("m", 1, "ann")
    assert house.models.retire("m", 1, "ann").stage is Stage.RETIRED
    told = ("registered", "validated", "approved", "rejected", "retired")
    assert house.kinds() == [f"version.{stage}" for stage in told]
    assert house.models.version("m", 1).evidence == version.evidence


async def test_a_version_that_breaks_callers_is_rejected_with_the_evidence_kept(
    house: House, linear: Write
) -> None:
    await house.real.register("m", linear(), actor="ann")
    house.serve(1)
    await house.real.register("m", linear(output="z"), actor="ann")
    with pytest.raises(
        LifecycleError, match="gate `signature`: output 'y' of the champion is missing"
    ) as caught:
        await house.judged.validate("m", 2, "ann")
    assert caught.value.code is LifecycleCode.CONFLICT
    version = house.models.version("m", 2)
    assert version.stage is Stage.REJECTED
    assert {f.name: f.verdict for f in version.evidence}["signature"] is Verdict.FAIL


async def test_nan_on_the_champions_reference_rows_is_rejected(
    house: House, linear: Write, tmp_path: Path
) -> None:
    await house.real.register(
        "m", linear(), actor="ann", given=Submission(reference=table(tmp_path / "rows.parquet"))
    )
    house.serve(1)
    await house.real.register("m", linear(slope=float("nan")), actor="ann")
    with pytest.raises(LifecycleError, match="`finite_outputs`"):
        await house.judged.validate("m", 2, "ann")


async def test_an_inspection_that_breaks_changes_nothing(house: House, linear: Write) -> None:
    await house.models.register("m", linear(), actor="ann")
    house.sandbox.says = Inspection(None, (Finding("structure", Verdict.ERROR, "no processes left"),))
    with pytest.raises(LifecycleError) as caught:
        await house.validation.validate("m", 1, "ann")
    assert caught.value.code is LifecycleCode.UNAVAILABLE
    assert house.models.version("m", 1).stage is Stage.REGISTERED


async def test_a_rejected_version_may_be_tried_again(house: House, linear: Write) -> None:
    await house.models.register("m", linear(), actor="ann")
    house.sandbox.says = replace(GOOD, findings=(Finding("load", Verdict.FAIL, "broken"),))
    for _ in range(2):
        with pytest.raises(LifecycleError, match="`load`"):
            await house.validation.validate("m", 1, "ann")
    house.sandbox.says = GOOD
    assert (await house.validation.validate("m", 1, "ann")).stage is Stage.APPROVED


async def test_approvals_end_with_a_rejection(house: House, linear: Write) -> None:
    models, validation = house.commands(approvals=2)
    await models.register("m", linear(), actor="ann")
    await validation.validate("m", 1, "ann")
    models.approve("m", 1, "bob")
    models.approve("m", 1, "cleo")
    assert len(models.reject("m", 1, "dora").approvals) == 2, "it still tells who they were"
    assert (await validation.validate("m", 1, "ann")).approvals == ()
    assert models.approve("m", 1, "dora").stage is Stage.VALIDATED
    assert models.approve("m", 1, "bob").stage is Stage.APPROVED


async def test_a_stored_artifact_that_was_altered_is_never_validated(house: House, linear: Write) -> None:
    version = await house.models.register("m", linear(), actor="ann")
    house.artifacts.fetch(version.artifact, version.digest).write_bytes(linear(slope=9).read_bytes())
    with pytest.raises(LifecycleError) as caught:
        await house.validation.validate("m", 1, "ann")
    assert caught.value.code is LifecycleCode.REFUSED


async def test_a_change_of_the_signature_has_to_be_declared(house: House, tmp_path: Path) -> None:
    await house.real.register("m", classifier(tmp_path / "a.onnx", (1, 1, 0)), actor="ann")
    house.serve(1)
    await house.real.register("m", classifier(tmp_path / "b.onnx", (1, 1, 0), name="z"), actor="ann")
    with pytest.raises(LifecycleError, match="--allow-signature-change") as caught:
        await house.judged.validate("m", 2, "ann")
    assert caught.value.code is LifecycleCode.CONFLICT
    version = await house.judged.validate("m", 2, "ann", change_allowed=True)
    assert version.stage is Stage.APPROVED
    assert evidence(version)["signature"].reason.endswith("the change was declared")


async def test_golden_rows_hold_every_later_version_to_their_answers(house: House, tmp_path: Path) -> None:
    x = pa.array([[1.0, 0.0, 0.0], [0.0, 0.0, 1.0]], pa.list_(pa.float32()))
    chance = float(1 / (1 + np.exp(-3.0)))
    answers = pa.array([[1 - chance, chance], [0.5, 0.5]], pa.list_(pa.float32()))
    golden = tmp_path / "golden.parquet"
    pq.write_table(pa.table({"x": x, "outputs.p": answers}), golden)
    good = classifier(tmp_path / "a.onnx", (1, 1, 0))
    await house.real.register("m", good, actor="ann", given=Submission(golden=golden))
    first = await house.judged.validate("m", 1, "ann")
    assert evidence(first)["golden"].numbers["rows"] == 2
    house.serve(1)
    await house.real.register("m", classifier(tmp_path / "b.onnx", (1, 1, 0.1)), actor="ann")
    with pytest.raises(LifecycleError, match=r"gate `golden`: output 'p' differs in 1 of 2 rows") as caught:
        await house.judged.validate("m", 2, "ann")
    assert caught.value.code is LifecycleCode.REFUSED


async def test_golden_rows_without_answers_are_refused(house: House, tmp_path: Path) -> None:
    with pytest.raises(LifecycleError, match=r"`outputs\.p`"):
        await house.real.register(
            "m",
            classifier(tmp_path / "a.onnx", (1, 1, 0)),
            actor="a",
            given=Submission(golden=table(tmp_path / "golden")),
        )


async def test_a_worse_version_fails_on_the_newest_labels_and_a_sound_one_passes(
    house: House, tmp_path: Path
) -> None:
    await house.real.register("m", classifier(tmp_path / "a.onnx", (1, 1, 0)), actor="ann")
    house.serve(1)
    predictions = [
        Capture(f"p{i}", float(i), "m", 1, Role.CHAMPION, {"x": ROWS[i : i + 1]}, {}) for i in range(1200)
    ]
    house.captures.append(blocks(predictions))
    labels = pa.table({"prediction_id": [p.prediction_id for p in predictions], "label": truth()})
    house.captures.label("m", labels, 1000.0)
    await house.real.register("m", classifier(tmp_path / "b.onnx", (1, 0.6, 0.4)), actor="ann")
    with pytest.raises(LifecycleError, match="gate `newest`: accuracy is 0"):
        await house.judged.validate("m", 2, "ann")
    found = evidence(house.models.version("m", 2))
    assert (found["newest"].numbers["rows"], found["newest"].numbers["champion"]) == (1200, 1.0)
    assert found["slices"].verdict is Verdict.FAIL
    await house.real.register("m", classifier(tmp_path / "c.onnx", (1.01, 1.01, 0)), actor="ann")
    found = evidence(await house.judged.validate("m", 3, "ann"))
    assert {name: str(found[name].verdict) for name in ("newest", "slices", "calibration")} == {
        "newest": "PASS",
        "slices": "PASS",
        "calibration": "PASS",
    }
    assert found["cost"].numbers["champion_latency_ms"] > 0


async def test_the_holdout_is_frozen_by_the_first_version_that_has_one_and_stays(
    house: House, tmp_path: Path
) -> None:
    held = pa.array([i % 3 == 0 for i in range(1200)])
    first = table(tmp_path / "first.parquet", label=truth(), holdout=held)
    await house.real.register(
        "m", classifier(tmp_path / "a.onnx", (1, 1, 0)), actor="a", given=Submission(reference=first)
    )
    await house.judged.validate("m", 1, "a")
    frozen = house.models.show("m")[0].holdout_digest
    assert frozen
    house.serve(1)
    other = table(tmp_path / "other.parquet", label=1 - truth(), holdout=held)
    await house.real.register(
        "m", classifier(tmp_path / "b.onnx", (-1, -1, 0)), actor="a", given=Submission(reference=other)
    )
    with pytest.raises(LifecycleError, match="gate `holdout`"):
        await house.judged.validate("m", 2, "a")
    found = evidence(house.models.version("m", 2))
    assert (found["accuracy"].verdict, found["holdout"].numbers["rows"]) == (Verdict.PASS, 400)
    assert house.models.show("m")[0].holdout_digest == frozen


async def test_people_may_freeze_other_rows(house: House, tmp_path: Path) -> None:
    await house.real.register("m", classifier(tmp_path / "a.onnx", (1, 1, 0)), actor="ann")
    frozen = await house.judged.freeze("m", table(tmp_path / "rows", label=truth()), "ann")
    assert house.models.show("m")[0] == frozen
    assert house.kinds()[-1] == "holdout.frozen"
    for rows, says in (
        (table(tmp_path / "bare"), "column `label`"),
        (tmp_path / "a.onnx", "not a Parquet file"),
    ):
        with pytest.raises(LifecycleError, match=says) as caught:
            await house.judged.freeze("m", rows, "ann")
        assert caught.value.code is LifecycleCode.INVALID
    assert house.models.show("m")[0] == frozen


async def test_a_required_gate_that_cannot_be_judged_holds_the_version(house: House, linear: Write) -> None:
    _, validation = house.commands(policy=Policy(gates=frozenset({"holdout"})))
    await house.models.register("m", linear(), actor="ann")
    with pytest.raises(LifecycleError, match="waits: the gate `holdout` is required") as caught:
        await validation.validate("m", 1, "ann")
    assert caught.value.code is LifecycleCode.CONFLICT
    version = house.models.version("m", 1)
    assert (version.stage, len(version.evidence)) == (Stage.REGISTERED, len(GATES))
    assert house.kinds()[-1] == "version.held"


async def test_judging_again_renews_the_evidence_and_takes_no_traffic(house: House, linear: Write) -> None:
    await house.models.register("m", linear(), actor="ann")
    await house.validation.validate("m", 1, "ann")
    kinds = house.kinds()
    assert await house.validation.validate("m", 1, "ann") == house.models.version("m", 1)
    assert house.kinds() == kinds
    await house.validation.validate("m", 1, "ann", again=True)
    assert house.kinds() == [*kinds, "version.judged"]
    told = house.store.records("m")[-1].detail["findings"]
    assert told == [finding.as_json() for finding in house.models.version("m", 1).evidence]
    house.serve(1)
    house.sandbox.says = replace(GOOD, findings=(Finding("load", Verdict.FAIL, "broken"),))
    with pytest.raises(LifecycleError, match="is in use and it does not pass the gate `load`"):
        await house.validation.validate("m", 1, "ann", again=True)
    assert house.models.version("m", 1).stage is Stage.SERVING
    assert house.models.version("m", 1).evidence[0].verdict is Verdict.FAIL


async def test_an_approved_version_that_no_longer_passes_is_rejected(house: House, linear: Write) -> None:
    await house.models.register("m", linear(), actor="ann")
    await house.validation.validate("m", 1, "ann")
    house.sandbox.says = replace(GOOD, findings=(Finding("load", Verdict.FAIL, "broken"),))
    with pytest.raises(LifecycleError, match="is rejected"):
        await house.validation.validate("m", 1, "ann", again=True)
    assert house.models.version("m", 1).stage is Stage.REJECTED


async def test_a_version_that_no_longer_passes_is_not_taken_out_of_its_rollout(
    house: House, linear: Write
) -> None:
    await house.waiting_rollout(linear)
    house.sandbox.says = replace(GOOD, findings=(Finding("load", Verdict.FAIL, "broken"),))
    with pytest.raises(LifecycleError, match="is in use and it does not pass the gate `load`"):
        await house.validation.validate("m", 2, "ann", again=True)
    assert house.models.version("m", 2).stage is Stage.APPROVED
