"""The capture log on a real disk: restarts, crashes, merges, shapes, volume."""

import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from gateway.core.capture import Capture, blocks
from gateway.core.types import Array, Role
from lifecycle.adapters.captures.log import MOST_WRITES, ParquetCaptures
from lifecycle.adapters.captures.segments import Segment
from lifecycle.ports import LabelReceipt, Origin


def capture(prediction: str, at: float = 1.0, **inputs: Array) -> Capture:
    rows = len(next(iter(inputs.values()))) if inputs else 1
    tensors = inputs or {"input": np.zeros((1, 4), np.float32)}
    return Capture(prediction, at, "m", 1, Role.CHAMPION, tensors, {"label": np.arange(rows)})


def labels(ids: list[str], values: list[int]) -> pa.Table:
    return pa.table({"prediction_id": ids, "label": values})


def test_labels_and_flushed_captures_survive_a_restart(tmp_path: Path) -> None:
    log = ParquetCaptures(tmp_path)
    log.append(blocks([capture("a"), capture("b")]))
    log.flush()
    log.label("m", labels(["a", "early"], [1, 2]), 10.0)
    again = ParquetCaptures(tmp_path)
    assert again.labelled("m")["label"].to_pylist() == [1]
    assert again.label("m", labels(["a", "b"], [1, 5]), 11.0) == LabelReceipt(1, 1, 0, 0)
    assert again.labels_count("m") == 3


def test_an_answer_is_traced_to_its_version(tmp_path: Path) -> None:
    log = ParquetCaptures(tmp_path)
    log.append(blocks([capture("a", 7.0), capture("two", 8.0, input=np.zeros((2, 4), np.float32))]))
    log.flush()
    log.append(blocks([capture("b", 9.0)]))
    found = [log.find(prediction) for prediction in ("a", "two", "b")]
    assert found == [Origin("m", 1, "champion", at) for at in (7.0, 8.0, 9.0)]
    assert log.find("none") is None


def test_an_answer_is_looked_for_only_where_it_may_be(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    log = ParquetCaptures(tmp_path)
    for number in range(40):
        log.append(blocks([replace(capture(f"p{number}", float(number)), model=f"m{number}")]))
        log.flush()
    opened: list[Segment] = []
    unchanged = Segment.open

    def noted(segment: Segment) -> pq.ParquetFile:
        opened.append(segment)
        return unchanged(segment)

    monkeypatch.setattr(Segment, "open", noted)
    assert log.find("p25") == Origin("m25", 1, "champion", 25.0)
    assert log.find("none") is None
    assert len(opened) < 10


def test_a_shadows_answer_is_found_beside_the_callers(tmp_path: Path) -> None:
    log = ParquetCaptures(tmp_path)
    shadow = replace(capture("a", 7.5), version=2, role=Role.SHADOW, outputs={"label": np.array([3])})
    log.append(blocks([shadow, capture("a", 7.0), replace(shadow, prediction_id="b")]))
    log.flush()
    origin = log.find("a")
    assert origin is not None
    assert (origin.version, origin.role) == (1, "champion")
    (answer,) = origin.shadows
    assert (answer.version, answer.at, answer.differs, answer.distances) == (2, 7.5, True, {"label": 3.0})
    assert answer.outputs["label"].tolist() == [3]
    assert log.find("b") is None  # its caller's answer was not captured


def test_a_crash_loses_the_buffer_but_no_label(tmp_path: Path) -> None:
    log = ParquetCaptures(tmp_path, buffer_rows=2)
    log.append(blocks([capture("a"), capture("b")]))
    log.append(blocks([capture("c")]))
    log.label("m", labels(["a", "c"], [1, 3]), 10.0)
    after = ParquetCaptures(tmp_path)
    assert after.labelled("m")["prediction_id"].to_pylist() == ["a"]
    assert after.labels_count("m") == 2


def test_slow_traffic_is_written_after_a_while(tmp_path: Path) -> None:
    log = ParquetCaptures(tmp_path, buffer_s=30)
    log.append(blocks([capture("a", 100.0)]))
    log.append(blocks([capture("b", 131.0)]))
    log.label("m", labels(["a", "b"], [1, 2]), 10.0)
    assert ParquetCaptures(tmp_path).labelled("m").num_rows == 2


def test_conflicts_are_kept_for_a_person(tmp_path: Path) -> None:
    log = ParquetCaptures(tmp_path)
    log.label("m", labels(["a", "a"], [1, 2]), 10.0)
    log.label("m", labels(["a"], [3]), 11.0)
    kept = list((tmp_path / "model=m" / "quarantine").glob("*.parquet"))
    assert len(kept) == 2


def test_rows_of_one_request_are_labelled_each(tmp_path: Path) -> None:
    log = ParquetCaptures(tmp_path)
    log.append(blocks([capture("p", x=np.array([[1.0, 2.0], [3.0, 4.0]]))]))
    assert log.label("m", labels(["p/1", "p"], [9, 9]), 10.0) == LabelReceipt(1, 0, 0, 1)
    (row,) = log.labelled("m").to_pylist()
    assert (row["inputs.x"], row["outputs.label"]) == ([3.0, 4.0], 1)


@pytest.mark.parametrize("written", [False, True])
def test_shapes_and_types_are_kept(tmp_path: Path, written: bool) -> None:
    text = np.array([b"one"], np.object_)
    log = ParquetCaptures(tmp_path)
    log.append(blocks([capture("a", image=np.arange(6, dtype=np.uint8).reshape(1, 2, 3), text=text)]))
    log.append(blocks([capture("b", image=np.arange(4, dtype=np.uint8).reshape(1, 4, 1), text=text)]))
    log.label("m", labels(["a", "b"], [1, 2]), 10.0)
    if written:
        log.flush()
    first, second = log.labelled("m").to_pylist()
    assert first["inputs.image"] == [[0, 1, 2], [3, 4, 5]]
    assert second["inputs.image"] == [[0], [1], [2], [3]]
    assert first["inputs.text"] == b"one"


def test_versions_with_other_outputs_lie_side_by_side(tmp_path: Path) -> None:
    log = ParquetCaptures(tmp_path)
    log.append(blocks([capture("a")]))
    score = {"score": np.array([[0.5]], np.float32)}
    log.append(
        blocks([Capture("b", 2.0, "m", 2, Role.CANARY, {"input": np.zeros((1, 4), np.float32)}, score)])
    )
    log.label("m", labels(["a", "b"], [1, 2]), 10.0)
    first, second = log.labelled("m").to_pylist()
    assert (first["outputs.label"], first["outputs.score"]) == (0, None)
    assert (second["outputs.label"], second["outputs.score"]) == (None, [0.5])


def test_the_oldest_captures_make_room(tmp_path: Path) -> None:
    log = ParquetCaptures(tmp_path, buffer_rows=10, keep_bytes=1)
    for start in (0, 10):
        log.append(blocks(capture(f"p{i}", float(i)) for i in range(start, start + 10)))
    assert log.made("m")["at"].to_pylist() == [float(i) for i in range(10, 20)]


def test_all_models_together_are_bounded_and_a_quiet_one_loses_nothing_to_a_busy_one(tmp_path: Path) -> None:
    log = ParquetCaptures(tmp_path, buffer_rows=1)
    log.append(blocks([replace(capture("quiet", 0.0), model="quiet")]))
    size = sum(file.stat().st_size for file in tmp_path.rglob("*.parquet"))
    bounded = ParquetCaptures(tmp_path, buffer_rows=1, keep_total_bytes=int(3.5 * size))
    for at in range(1, 8):
        bounded.append(blocks([capture(f"p{at}", float(at))]))
    assert bounded.made("m")["at"].to_pylist() == [6.0, 7.0]
    assert bounded.made("quiet")["at"].to_pylist() == [0.0]


def test_old_captures_go_whether_their_model_is_still_called_or_not(tmp_path: Path) -> None:
    log = ParquetCaptures(tmp_path, buffer_rows=1, keep_s=100.0)
    log.append(blocks([replace(capture("a", 10.0), model="idle"), capture("b", 20.0)]))
    log.label("idle", labels(["a"], [1]), 12.0)
    log.append(blocks([capture("c", 115.0)]))
    assert log.labels_count("idle") == 0
    assert log.made("idle").num_rows == 0
    assert log.made("m")["at"].to_pylist() == [20.0, 115.0]
    assert list((tmp_path / "model=idle" / "captures").iterdir()) == []


def test_a_worker_whose_clock_is_years_ahead_makes_nothing_old(tmp_path: Path) -> None:
    log = ParquetCaptures(tmp_path, buffer_rows=1, keep_s=3_600.0)
    now = time.time()
    log.append(blocks([capture("a", now)]))
    log.append(blocks([capture("b", now + 1e9)]))
    assert log.made("m").num_rows == 2


def test_odd_model_names_stay_inside_the_folder(tmp_path: Path) -> None:
    log = ParquetCaptures(tmp_path / "log")
    log.label("../../escape", labels(["a"], [1]), 1.0)
    assert ParquetCaptures(tmp_path / "log").labels_count("../../escape") == 1
    assert [path.name for path in tmp_path.iterdir()] == ["log"]


@pytest.mark.slow
def test_a_hundred_thousand_rows_join_across_many_files(tmp_path: Path) -> None:
    log = ParquetCaptures(tmp_path)
    rows = np.zeros((1, 64), np.float32)
    for start in range(0, 100_000, 5_000):
        log.append(blocks(capture(f"p{i}", float(i), input=rows) for i in range(start, start + 5_000)))
    ids = [f"p{i}" for i in range(100_000)]
    assert log.label("m", labels(ids, list(range(100_000))), 1.0).joined == 100_000
    joined = log.labelled("m")
    assert joined.num_rows == 100_000
    assert joined["label"].to_pylist()[::9_999] == list(range(0, 100_000, 9_999))
    assert len(list((tmp_path / "model=m" / "captures").iterdir())) < 20


def test_many_models_are_written_in_turns(tmp_path: Path) -> None:
    log = ParquetCaptures(tmp_path, buffer_s=30)
    names = [f"m{i}" for i in range(3 * MOST_WRITES)]
    log.append(blocks(replace(capture(name, 100.0 + i / 100), model=name) for i, name in enumerate(names)))
    for turn in range(1, 4):
        log.append(blocks([capture(f"later{turn}", 131.0)]))
        written = {path.parts[-3].removeprefix("model=") for path in tmp_path.rglob("*.parquet")}
        assert written == set(names[: turn * MOST_WRITES])


def test_the_first_predictions_of_a_champion_are_found_in_files_and_buffer(tmp_path: Path) -> None:
    log = ParquetCaptures(tmp_path)
    others = [replace(capture("x", 0.5), version=2), replace(capture("y", 0.6), role=Role.SHADOW)]
    for at in (1.0, 2.0):
        log.append(blocks([*others, capture(f"p{at:g}", at)]))
        log.flush()
    log.append(blocks([capture("p3", 3.0)]))
    assert log.first("m", 1, 2)["prediction_id"].to_pylist() == ["p1", "p2"]
    assert log.first("m", 1, 9)["prediction_id"].to_pylist() == ["p1", "p2", "p3"]
    assert log.first("m", 7, 9).num_rows == 0
