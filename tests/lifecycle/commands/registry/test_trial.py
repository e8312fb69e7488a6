"""Which rows a version and the champion are given."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from gateway.core.capture import Capture, blocks
from gateway.core.signature import Signature, TensorSpec
from gateway.core.types import Role
from lifecycle.adapters.artifacts import FileArtifacts
from lifecycle.adapters.captures.log import ParquetCaptures
from lifecycle.commands.registry.trial import Trial
from lifecycle.core.inspection import GOLDEN, HOLDOUT, NEWEST, REFERENCE, Inspection, Limits
from lifecycle.core.validation import Standards
from lifecycle.core.version import Model, Version
from tests.lifecycle.registry import GOOD
from tests.lifecycle.world import version

Write = Callable[..., Path]
SIGNATURE = GOOD.signature or Signature((), ())


class Recorder:
    """Remembers what it was given, by content; of Parquet files the labels."""

    def __init__(self) -> None:
        self.rows: dict[str, object] = {}
        self.files: list[bytes] = []

    async def inspect(
        self,
        artifact: Path,
        limits: Limits,
        rows: Mapping[str, Path] | None = None,
        beside: Path | None = None,
    ) -> Inspection:
        self.files = [_content(path) for path in (artifact, beside) if path is not None]
        self.rows = {name: _rows(name, path) for name, path in (rows or {}).items()}
        return GOOD


def _content(path: Path) -> bytes:
    return path.read_bytes()


def _rows(name: str, path: Path) -> object:
    return pq.read_table(path)["label"].to_pylist() if name == NEWEST else path.read_bytes()


class Shelf:
    """Versions whose artifacts and rows are a few bytes each, and a log of labelled predictions."""

    def __init__(self, home: Path) -> None:
        self.home = home
        self.artifacts = FileArtifacts(str(home / "artifacts"), home / "cache")
        self.captures = ParquetCaptures(home / "log")
        self.sandbox = Recorder()
        self.learnt: dict[int, list[str]] = {}
        self.recent: dict[int, list[str]] = {}

    def put(self, content: bytes | None) -> tuple[str, str]:
        if content is None:
            return "", ""
        (self.home / "file").write_bytes(content)
        return self.artifacts.put(self.home / "file")

    def version(self, number: int, rows: bytes | None = None, golden: bytes | None = None) -> Version:
        artifact, digest = self.put(b"model %d" % number)
        made = replace(version(number), signature=SIGNATURE, artifact=artifact, digest=digest)
        reference, reference_digest = self.put(rows)
        made = replace(made, reference=reference, reference_digest=reference_digest)
        uri, golden_digest = self.put(golden)
        return replace(made, golden=uri, golden_digest=golden_digest)

    def predict(self, *labels: int) -> None:
        ids = [f"p{label}" for label in labels]
        row = {"x": np.zeros((1, 3), np.float32)}
        self.captures.append(
            blocks([Capture(name, float(i), "m", 1, Role.CHAMPION, row, {}) for i, name in enumerate(ids)])
        )
        self.captures.label("m", pa.table({"prediction_id": ids, "label": list(labels)}), 1.0)

    def read(self, of: Version) -> pa.Table:
        """As `Profiles.reference`: rows that it learnt from, and one that it did not; some are recent."""
        names = [*self.learnt.get(of.number, []), "p9"]
        held = pa.array([*[False] * (len(names) - 1), True], pa.bool_())
        recent = pa.array([name in self.recent.get(of.number, []) for name in names], pa.bool_())
        return pa.table({"row_id": pa.array(names, pa.string()), "holdout": held, "recent": recent})

    async def judge(self, own: Version, champion: Version | None, holdout: bytes | None = None) -> None:
        uri, digest = self.put(holdout)
        trial = Trial(self.artifacts, self.sandbox, self.captures, self.read)
        model = Model("m", 1, 0.0, holdout=uri, holdout_digest=digest)
        await trial.judge(own, champion, model, Standards())


@pytest.fixture
def shelf(tmp_path: Path) -> Shelf:
    return Shelf(tmp_path)


async def test_both_versions_answer_the_candidates_rows_in_one_process(shelf: Shelf) -> None:
    await shelf.judge(
        shelf.version(2, b"new rows", b"new golden"), shelf.version(1, b"old rows", b"old golden")
    )
    assert shelf.sandbox.files == [b"model 2", b"model 1"]
    assert shelf.sandbox.rows == {REFERENCE: b"new rows", GOLDEN: b"new golden"}


async def test_the_champions_rows_stand_in_where_the_candidate_has_none(shelf: Shelf) -> None:
    await shelf.judge(shelf.version(2), shelf.version(1, b"old rows", b"old golden"), b"frozen rows")
    assert shelf.sandbox.rows == {REFERENCE: b"old rows", GOLDEN: b"old golden", HOLDOUT: b"frozen rows"}


async def test_rows_that_cannot_fit_the_candidate_are_not_tried(shelf: Shelf) -> None:
    shelf.predict(1, 2)
    other = Signature((TensorSpec("z", "FP32", (-1,)),), SIGNATURE.outputs)
    own = replace(shelf.version(2), signature=other)
    await shelf.judge(own, shelf.version(1, b"old rows"), b"frozen rows")
    assert shelf.sandbox.rows == {}
    assert shelf.sandbox.files == [b"model 2"]


async def test_a_first_version_is_run_alone(shelf: Shelf) -> None:
    await shelf.judge(shelf.version(1, b"rows"), None)
    assert (shelf.sandbox.files, shelf.sandbox.rows) == ([b"model 1"], {REFERENCE: b"rows"})


async def test_the_newest_labels_are_of_rows_that_neither_version_learnt_from(shelf: Shelf) -> None:
    shelf.predict(1, 2, 3, 9)
    shelf.learnt = {1: ["p1"], 2: ["p3"]}
    await shelf.judge(shelf.version(2, b"new rows"), shelf.version(1, b"old rows"))
    assert shelf.sandbox.rows[NEWEST] == [2, 9]


async def test_a_version_that_was_trained_for_a_changed_world_is_judged_from_the_change_on(
    shelf: Shelf,
) -> None:
    shelf.predict(*range(1, 9))
    shelf.learnt, shelf.recent = {2: ["p2", "p5", "p7"]}, {2: ["p5", "p7"]}
    await shelf.judge(shelf.version(2, b"new rows"), shelf.version(1))
    assert shelf.sandbox.rows[NEWEST] == [6, 8]


async def test_without_such_rows_there_is_no_block(shelf: Shelf) -> None:
    shelf.predict(1)
    shelf.learnt = {1: ["p1"]}
    await shelf.judge(shelf.version(2), shelf.version(1, b"old rows"))
    assert NEWEST not in shelf.sandbox.rows


async def test_a_version_answers_its_own_rows_alone(shelf: Shelf) -> None:
    trial = Trial(shelf.artifacts, shelf.sandbox, shelf.captures, shelf.read)
    await trial.reference(shelf.version(2, b"new rows", b"new golden"))
    assert (shelf.sandbox.files, shelf.sandbox.rows) == ([b"model 2"], {REFERENCE: b"new rows"})


async def test_without_rows_nothing_is_run(shelf: Shelf) -> None:
    trial = Trial(shelf.artifacts, shelf.sandbox, shelf.captures, shelf.read)
    assert not (await trial.reference(shelf.version(2))).outputs
    assert shelf.sandbox.files == []
