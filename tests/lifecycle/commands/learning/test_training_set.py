"""What a retraining learns from."""

import hashlib
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from gateway.core.capture import Capture, blocks
from gateway.core.types import Role
from lifecycle.adapters.captures.log import ParquetCaptures
from lifecycle.adapters.profiles import Profiles
from lifecycle.adapters.recipe import run_recipe
from lifecycle.adapters.reference import read_reference
from lifecycle.commands.learning import training_set
from lifecycle.commands.learning.training_set import gather, write
from lifecycle.core.version import Lineage, Version
from lifecycle.errors import LifecycleError
from lifecycle.ports import TrainingJob
from lifecycle.recipes.training import TrainingData
from tests.lifecycle.registry import House
from tests.lifecycle.world import version

SEEN: list[TrainingData] = []
RECIPE = "tests.lifecycle.commands.learning.test_training_set:remember"


def remember(data: TrainingData) -> bytes:
    SEEN.append(data)
    return b"model"


class Line:
    """A model whose captures, references and artifacts are real files; every row has values of its own."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.house = House(folder)
        self.read = Profiles(self.house.store, self.house.artifacts).reference
        self.captures = ParquetCaptures(folder / "log")
        self.versions: dict[int, Version] = {}
        self.at = 0.0

    def add(self, reference: Path, parent: int | None = None) -> Version:
        uri, digest = self.house.artifacts.put(reference)
        number = len(self.versions) + 1
        self.versions[number] = replace(
            version(number), reference=uri, reference_digest=digest, lineage=Lineage(parent)
        )
        return self.versions[number]

    def given(self, first: int, rows: int, **columns: list[object]) -> Version:
        """A version with a reference as people write it, by default labelled by the values themselves."""
        values = range(first, first + rows)
        table = {"x": [[float(value)] * 4 for value in values], "label": list(values), **columns}
        path = self.folder / f"given-{first}.parquet"
        pq.write_table(pa.table({name: column for name, column in table.items() if column}), path)
        return self.add(path, len(self.versions) or None)

    def predict(self, first: int, rows: int) -> None:
        """Labelled predictions, a second apart."""
        for value in range(first, first + rows):
            self.at += 1
            tensors = {"x": np.full((1, 4), value, np.float32)}
            self.captures.append(blocks([Capture(f"p{value}", self.at, "m", 1, Role.CHAMPION, tensors, {})]))
        ids = [f"p{value}" for value in range(first, first + rows)]
        self.captures.label("m", pa.table({"prediction_id": ids, "label": range(first, first + rows)}), 1.0)

    def gather(self) -> pa.Table:
        return gather(self.versions[max(self.versions)], self.versions, self.captures, self.read)[0]

    def retrain(self, since: float) -> tuple[set[int], set[int]]:
        """Train the next version; the values it learnt from and those it is judged by."""
        champion = max(self.versions)
        folder = self.folder / f"work-{champion}"
        rows = self.gather()
        write(rows, since, folder / "data.parquet")
        _, reference = run_recipe(TrainingJob("m", RECIPE, folder / "data.parquet", folder / "out", "test"))
        new = self.add(reference, champion)
        learnt = SEEN.pop().labels.tolist()
        judged = read_reference(reference, new.signature, unseen=True)[1]
        assert judged is not None
        assert len(set(learnt)) == len(learnt)
        assert len(set(judged.tolist())) == len(judged)
        return set(learnt), set(judged.tolist())


@pytest.fixture
def line(tmp_path: Path) -> Iterator[Line]:
    line = Line(tmp_path)
    yield line
    line.house.store.close()


def test_all_that_is_labelled_of_the_line_takes_part(line: Line) -> None:
    line.given(10, 2)
    line.given(20, 2)
    line.given(30, 2, label=[])
    line.predict(70, 1)
    rows = line.gather()
    assert rows["label"].to_pylist() == [10, 11, 20, 21, 70]
    assert [row[0] for row in rows["inputs.x"].to_pylist() if row] == [10, 11, 20, 21, 70]
    assert rows["at"].to_pylist() == [0.0, 0.0, 0.0, 0.0, 1.0]
    assert rows["holdout"].to_pylist() == [None] * 5


def test_a_version_of_another_line_takes_no_part(line: Line) -> None:
    first = line.given(10, 2)
    line.given(20, 2)
    assert gather(first, line.versions, line.captures, line.read)[0]["label"].to_pylist() == [10, 11]


def test_without_one_label_there_is_nothing_to_learn(line: Line) -> None:
    line.given(10, 2, label=[])
    with pytest.raises(LifecycleError, match="headrace feedback"):
        line.gather()


def test_a_second_retraining_learns_from_no_row_that_was_held_out(line: Line) -> None:
    line.given(0, 30)
    line.predict(100, 60)
    learnt, judged = line.retrain(since=1.0)
    assert learnt | judged == {*range(30), *range(100, 160)}
    assert judged <= {*range(100, 160)}
    assert len(judged) == 20
    # The rows of the first retraining are in the capture log still, and in its version's reference.
    line.predict(200, 60)
    learnt_again, judged_again = line.retrain(since=61.0)
    assert not judged & learnt_again
    assert learnt <= learnt_again
    assert judged_again <= {*range(200, 260)}
    assert len(judged_again) == 20


def test_a_retraining_over_the_same_period_is_judged_by_rows_that_no_version_learnt_from(line: Line) -> None:
    line.given(0, 30)
    line.predict(100, 60)
    learnt, judged = line.retrain(since=1.0)
    line.predict(200, 30)
    learnt_again, judged_again = line.retrain(since=1.0)
    assert judged < judged_again
    assert not judged_again & (learnt | learnt_again)


def test_rows_that_people_held_out_stay_held_out(line: Line) -> None:
    line.given(0, 4, holdout=[True, False, True, False])
    line.predict(100, 30)
    learnt, judged = line.retrain(since=1.0)
    assert not {0, 2} & (learnt | judged)
    assert {1, 3} <= learnt


def test_equal_predictions_are_not_one_row(line: Line) -> None:
    line.given(10, 1)
    tensors = {"x": np.zeros((1, 4), np.float32)}
    line.captures.append(
        blocks([Capture(f"p{i}", 1.0 + i, "m", 1, Role.CHAMPION, tensors, {}) for i in range(3)])
    )
    line.captures.label("m", pa.table({"prediction_id": ["p0", "p1", "p2"], "label": [5, 5, 5]}), 9.0)
    assert line.gather()["label"].to_pylist() == [10, 5, 5, 5]


def test_a_long_line_is_thinned_and_new_rows_are_not(line: Line, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(training_set, "MOST_EARLIER", 5)
    line.given(0, 9)
    line.predict(100, 7)
    assert line.gather()["label"].to_pylist() == [0, 2, 4, 6, 8, *range(100, 107)]


@pytest.mark.parametrize(("since", "recent"), [(10.0, [False, True, True]), (99.0, [True, True, True])])
def test_rows_since_the_change_are_marked(tmp_path: Path, since: float, recent: list[bool]) -> None:
    rows = pa.table({"inputs.x": [1.0, 2.0, 3.0], "label": [1, 2, 3], "at": [0.0, 10.0, 20.0]})
    path = tmp_path / "work" / "data.parquet"
    digest = write(rows, since, path)
    assert pq.read_table(path)["recent"].to_pylist() == recent
    assert pq.read_table(path).column_names == ["inputs.x", "label", "recent"]
    assert digest == f"sha256:{hashlib.sha256(path.read_bytes()).hexdigest()}"


def test_a_poisoned_source_is_left_out_and_told_of(line: Line) -> None:
    version = line.given(0, 200, label=[i % 2 for i in range(200)])
    rng = np.random.default_rng(1)
    truth = {f"p{i}": int(rng.integers(0, 2)) for i in range(400)}
    tensors = {"x": np.zeros((1, 4), np.float32)}
    line.captures.append(
        blocks(
            Capture(name, float(i), "m", 1, Role.CHAMPION, tensors, {"label": np.array([label])})
            for i, (name, label) in enumerate(truth.items())
        )
    )
    ids = list(truth)
    said = {"ann": truth | {"p0": 7}, "eve": {name: 1 - label for name, label in truth.items()}}
    for half, (source, labels) in enumerate(said.items()):
        own = ids[half::2]
        table = pa.table({"prediction_id": own, "label": [labels[name] for name in own]})
        line.captures.label("m", table, 500.0, source=source)
    rows, asides = gather(version, line.versions, line.captures, line.read)
    assert set(rows["row_id"].to_pylist()) & truth.keys() == set(ids[2::2])
    assert [aside.count for aside in asides] == [1, 200]
    assert "'7' is unknown" in asides[0].reason
    assert "from 'eve' contradict 100%" in asides[1].reason
    kept, asides = gather(version, line.versions, line.captures, line.read, {"eve"})
    assert (kept.num_rows, [aside.count for aside in asides]) == (200 + 399, [1])
