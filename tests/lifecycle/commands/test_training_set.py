"""What a retraining learns from."""

import hashlib
from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from gateway.core.capture import Capture
from gateway.core.types import Array, Role
from lifecycle.adapters.capture import ParquetCaptures
from lifecycle.commands.training_set import gather, write
from lifecycle.core.version import Lineage, Version
from lifecycle.errors import LifecycleError
from tests.lifecycle.world import version

REFERENCES: dict[int, tuple[dict[str, Array], Array | None]] = {
    1: ({"x": np.full((2, 3), 1.0)}, np.array([1, 1])),
    2: ({"x": np.full((2, 3), 2.0)}, np.array([2, 2])),
    3: ({"x": np.full((2, 3), 3.0)}, None),
}
FIRST, SECOND, THIRD = (replace(version(n), reference=f"{n}.parquet") for n in (1, 2, 3))
VERSIONS = {1: FIRST, 2: replace(SECOND, lineage=Lineage(1)), 3: replace(THIRD, lineage=Lineage(2))}


def read(version: Version) -> tuple[dict[str, Array], Array | None]:
    return REFERENCES[version.number]


@pytest.fixture
def captures(tmp_path: Path) -> ParquetCaptures:
    log = ParquetCaptures(tmp_path / "log")
    tensors = {"x": np.full((1, 3), 9.0)}
    log.append([Capture(f"p{at}", at, "m", 3, Role.CHAMPION, tensors, tensors) for at in (10.0, 20.0)])
    return log


def test_all_that_is_labelled_of_the_line_takes_part(captures: ParquetCaptures) -> None:
    captures.label("m", pa.table({"prediction_id": ["p10.0"], "label": [7]}), 30.0)
    rows = gather(VERSIONS[3], VERSIONS, captures, read)
    assert rows["label"].to_pylist() == [1, 1, 2, 2, 7]
    assert [row[0] for row in rows["inputs.x"].to_pylist() if row] == [1.0, 1.0, 2.0, 2.0, 9.0]
    assert rows["at"].to_pylist() == [0.0, 0.0, 0.0, 0.0, 10.0]


def test_a_version_of_another_line_takes_no_part(captures: ParquetCaptures) -> None:
    assert gather(FIRST, VERSIONS, captures, read)["label"].to_pylist() == [1, 1]


def test_without_one_label_there_is_nothing_to_learn(captures: ParquetCaptures) -> None:
    with pytest.raises(LifecycleError, match="headrace feedback"):
        gather(THIRD, {3: THIRD}, captures, read)


@pytest.mark.parametrize(("since", "recent"), [(10.0, [False, True, True]), (99.0, [True, True, True])])
def test_rows_since_the_change_are_marked(tmp_path: Path, since: float, recent: list[bool]) -> None:
    rows = pa.table({"inputs.x": [1.0, 2.0, 3.0], "label": [1, 2, 3], "at": [0.0, 10.0, 20.0]})
    path = tmp_path / "work" / "data.parquet"
    digest = write(rows, since, path)
    assert pq.read_table(path)["recent"].to_pylist() == recent
    assert pq.read_table(path).column_names == ["inputs.x", "label", "recent"]
    assert digest == f"sha256:{hashlib.sha256(path.read_bytes()).hexdigest()}"
