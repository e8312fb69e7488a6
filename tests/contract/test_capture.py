"""What every capture log promises. An in-memory fake would be held to the same."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from gateway.core.capture import Capture, blocks
from gateway.core.types import Role
from lifecycle.adapters.captures.log import ParquetCaptures
from lifecycle.ports import CaptureLog, LabelReceipt

LOGS: dict[str, Callable[[Path], CaptureLog]] = {"parquet": ParquetCaptures}


@pytest.fixture(params=LOGS)
def log(request: pytest.FixtureRequest, tmp_path: Path) -> CaptureLog:
    return LOGS[request.param](tmp_path)


def capture(prediction: str, at: float = 100.0, role: Role = Role.CHAMPION, version: int = 1) -> Capture:
    inputs = {"input": np.full((1, 4), at, np.float32)}
    return Capture(prediction, at, "digits", version, role, inputs, {"label": np.array([7], np.int64)})


def labels(**pairs: object) -> pa.Table:
    return pa.table({"prediction_id": list(pairs), "label": list(pairs.values())})


def test_a_label_joins_its_prediction(log: CaptureLog) -> None:
    log.append(blocks([capture("a"), capture("b")]))
    assert log.label("digits", labels(b=3), 200.0) == LabelReceipt(1, 0, 0, 0)
    rows = log.labelled("digits").to_pylist()
    assert [(row["prediction_id"], row["at"], row["version"], row["role"]) for row in rows] == [
        ("b", 100.0, 1, "champion")
    ]
    assert rows[0]["inputs.input"] == [100.0] * 4
    assert rows[0]["outputs.label"] == 7
    assert rows[0]["label"] == 3


def test_a_label_may_come_before_its_prediction(log: CaptureLog) -> None:
    assert log.label("digits", labels(a=3), 50.0) == LabelReceipt(0, 0, 0, 1)
    assert log.labelled("digits").num_rows == 0
    log.append(blocks([capture("a")]))
    assert log.labelled("digits")["label"].to_pylist() == [3]


def test_labels_are_found_by_when_they_came_however_old_their_predictions(log: CaptureLog) -> None:
    day = 86_400.0
    log.append(blocks([capture("a", at=100.0)]))
    log.append(blocks([capture("b", at=day), capture("c", at=9 * day)]))
    log.label("digits", labels(b=3), 2 * day)
    log.label("digits", labels(a=3, c=3), 10 * day)
    assert log.labelled("digits", came_since=3 * day)["prediction_id"].to_pylist() == ["a", "c"]
    assert log.labelled("digits", day, came_since=3 * day)["prediction_id"].to_pylist() == ["c"]
    assert log.labelled("digits", came_since=11 * day).num_rows == 0


def test_the_same_label_again_changes_nothing(log: CaptureLog) -> None:
    log.append(blocks([capture("a")]))
    log.label("digits", labels(a=3), 200.0)
    assert log.label("digits", labels(a=3), 300.0) == LabelReceipt(0, 1, 0, 0)
    assert log.labels_count("digits") == 1


def test_the_first_of_conflicting_labels_stands(log: CaptureLog) -> None:
    log.append(blocks([capture("a")]))
    log.label("digits", labels(a=3), 200.0)
    assert log.label("digits", labels(a=4), 300.0) == LabelReceipt(0, 0, 1, 0)
    assert log.labelled("digits")["label"].to_pylist() == [3]


def test_rows_are_oldest_first_and_from_the_time_asked_for(log: CaptureLog) -> None:
    log.append(blocks([capture("c", 300.0), capture("a", 100.0), capture("b", 200.0)]))
    log.label("digits", labels(a=1, b=2, c=3), 400.0)
    assert log.labelled("digits", 200.0)["prediction_id"].to_pylist() == ["b", "c"]
    assert log.made("digits", 200.0)["at"].to_pylist() == [200.0, 300.0]


def test_what_was_made_comes_with_its_tensors_when_asked_for(log: CaptureLog) -> None:
    log.append(blocks([capture("b", at=2.0), capture("s", at=2.5, role=Role.SHADOW), capture("a", at=1.0)]))
    assert log.made("digits").column_names == ["at", "version"]
    rows = log.made("digits", 1.5, tensors=True).to_pylist()
    assert [(row["at"], row["inputs.input"], row["outputs.label"]) for row in rows] == [(2.0, [2.0] * 4, 7)]
    assert log.made("other", tensors=True).num_rows == 0


def test_shadows_stay_out(log: CaptureLog) -> None:
    log.append(blocks([capture("a"), capture("a", role=Role.SHADOW, version=2)]))
    log.label("digits", labels(a=1), 400.0)
    assert log.labelled("digits")["version"].to_pylist() == [1]
    assert log.made("digits")["version"].to_pylist() == [1]


def test_inputs_can_be_left_out(log: CaptureLog) -> None:
    log.append(blocks([capture("a")]))
    log.label("digits", labels(a=1), 400.0)
    names = log.labelled("digits", inputs=False).column_names
    assert names == [
        "prediction_id",
        "at",
        "version",
        "role",
        "outputs.label",
        "label",
        "source",
        "labelled_at",
    ]


def test_models_are_apart(log: CaptureLog) -> None:
    log.append(blocks([capture("a")]))
    assert log.label("other", labels(a=1), 400.0) == LabelReceipt(0, 0, 0, 1)
    assert log.labelled("digits").num_rows == 0
    assert log.labels_count("digits") == 0


def test_numbers_of_a_metric_are_kept_beside_the_labels(log: CaptureLog) -> None:
    made = [capture("a"), capture("b", 200.0, Role.CANARY, 2), capture("c", role=Role.PINNED)]
    log.append(blocks(made))
    log.label("digits", labels(a=1), 300.0)
    assert log.label("digits", labels(a=1.5, b=2.5, c=9.0), 300.0, "revenue") == LabelReceipt(3, 0, 0, 0)
    assert log.label("digits", labels(a=4.0), 300.0, "revenue") == LabelReceipt(0, 0, 1, 0)
    found = log.numbers("digits")
    assert {name: table.to_pylist() for name, table in found.items()} == {
        "revenue": [
            {"at": 100.0, "version": 1, "value": 1.5, "came": 300.0},
            {"at": 200.0, "version": 2, "value": 2.5, "came": 300.0},
        ]
    }
    assert log.numbers("digits", came_since=300.0)["revenue"].num_rows == 2
    assert log.numbers("digits", came_since=301.0) == {}
    assert log.labelled("digits")["label"].to_pylist() == [1]
    assert log.labels_count("digits") == 4
