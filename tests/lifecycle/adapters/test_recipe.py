"""A recipe is run on what it may see, and only on that."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from lifecycle.adapters.recipe import run_recipe
from lifecycle.errors import LifecycleCode, LifecycleError
from lifecycle.ports import TrainingJob
from lifecycle.recipes.training import TrainingData
from lifecycle.tensors import to_array

SEEN: list[TrainingData] = []
HERE = "tests.lifecycle.adapters.test_recipe"


def remember(data: TrainingData) -> bytes:
    SEEN.append(data)
    return b"model"


def fail(data: TrainingData) -> bytes:
    raise ValueError(f"cannot learn from {len(data.labels)} rows")


def chatter(data: TrainingData) -> bytes:
    raise ValueError("z" * 3_000_000)


def ask_for_a_column(data: TrainingData) -> bytes:
    return data.inputs["amount"].tobytes()


def leave(data: TrainingData) -> bytes:
    raise SystemExit(3)


def forget_to_return(data: TrainingData) -> None: ...


def return_a_path(data: TrainingData) -> str:
    return "model.onnx"


def job(folder: Path, recipe: str, **flags: Sequence[bool | None]) -> TrainingJob:
    columns: dict[str, Sequence[object]] = {
        "inputs.x": [[float(i), 0.0] for i in range(9)],
        "label": [f"class {i % 2}" for i in range(9)],
    }
    pq.write_table(pa.table({**columns, **flags}), folder / "data.parquet")
    return TrainingJob("m", recipe, folder / "data.parquet", folder / "output", "a test")


def held_in(reference: Path) -> list[float]:
    """First features of the rows that were held out."""
    rows = pq.read_table(reference)
    return sorted(to_array(rows.filter(rows["holdout"])["inputs.x"])[:, 0].tolist())


def test_one_recent_row_in_three_is_held_out_and_the_reference_says_which(tmp_path: Path) -> None:
    recent = [False] * 3 + [True] * 6
    model, reference = run_recipe(job(tmp_path, f"{HERE}:remember", recent=recent))
    data = SEEN.pop()
    assert model.read_bytes() == b"model"
    held = held_in(reference)
    assert pq.read_table(reference).column_names == ["inputs.x", "label", "holdout", "recent"]
    assert pq.read_table(reference)["recent"].to_pylist() == recent
    assert len(held) == 2
    assert min(held) >= 3
    assert sorted(held + data.inputs["x"][:, 0].tolist()) == list(range(9))
    assert data.labels.tolist()[:3] == ["class 0", "class 1", "class 0"]


def test_without_a_mark_all_rows_are_recent(tmp_path: Path) -> None:
    _, reference = run_recipe(job(tmp_path, f"{HERE}:remember"))
    assert (SEEN.pop().weights == np.ones(6)).all()
    assert len(held_in(reference)) == 3


def test_what_earlier_versions_were_tested_on_is_not_learnt_from(tmp_path: Path) -> None:
    before = [True, True, None, False, False, False, None, None, None]
    _, reference = run_recipe(job(tmp_path, f"{HERE}:remember", holdout=before))
    held = held_in(reference)
    assert held[:2] == [0, 1]
    assert len(held) == 3
    assert held[2] in (2, 6, 7, 8)
    assert sorted(held + SEEN.pop().inputs["x"][:, 0].tolist()) == list(range(9))


def test_a_version_that_nothing_could_be_judged_by_is_not_trained(tmp_path: Path) -> None:
    learnt: list[bool | None] = [False] * 7 + [None] * 2
    with pytest.raises(LifecycleError, match="too few new labelled rows"):
        run_recipe(job(tmp_path, f"{HERE}:remember", holdout=learnt))
    assert not SEEN


@pytest.mark.parametrize(
    ("recipe", "complaint"),
    [
        (f"{HERE}:fail", "failed: ValueError: cannot learn from 6 rows"),
        (f"{HERE}:nothing", "cannot be imported"),
        ("no.such.module:train", "cannot be imported: No module named 'no'"),
        ("nonsense", "cannot be imported"),
        (f"{HERE}:HERE", "is not a function"),
        (f"{HERE}:job", "cannot be called with one `TrainingData`: missing a required argument"),
    ],
)
def test_a_recipe_that_does_not_work_is_refused_with_its_error(
    tmp_path: Path, recipe: str, complaint: str
) -> None:
    with pytest.raises(LifecycleError, match=complaint) as caught:
        run_recipe(job(tmp_path, recipe))
    assert caught.value.code is LifecycleCode.REFUSED
    assert not (tmp_path / "output").exists()


@pytest.mark.parametrize(
    ("recipe", "complaint"),
    [
        ("ask_for_a_column", "failed: KeyError: 'amount'"),
        ("leave", "failed: SystemExit: 3"),
        ("forget_to_return", "returned a NoneType; it has to return an ONNX model, or its bytes"),
        ("return_a_path", "returned a str; it has to return an ONNX model, or its bytes"),
    ],
)
def test_what_went_wrong_in_a_recipe_is_told(tmp_path: Path, recipe: str, complaint: str) -> None:
    with pytest.raises(LifecycleError, match=complaint) as caught:
        run_recipe(job(tmp_path, f"{HERE}:{recipe}"))
    assert caught.value.code is LifecycleCode.REFUSED


def test_of_an_endless_error_only_the_beginning_goes_into_the_ledger(tmp_path: Path) -> None:
    with pytest.raises(LifecycleError, match="failed: ValueError: zzz") as caught:
        run_recipe(job(tmp_path, f"{HERE}:chatter"))
    assert len(caught.value.message) < 1_200
