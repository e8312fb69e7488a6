"""What one model keeps: when predictions were made, and the numbers of a bounded set of metrics."""

import math
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from gateway.core.types import Role
from lifecycle.adapters.captures.model import MOST_METRICS, ModelCaptures
from lifecycle.adapters.captures.rows import Rows
from lifecycle.adapters.captures.segments import Segment
from lifecycle.errors import LifecycleError


def rows(*ids: str, at: float, role: Role = Role.CHAMPION) -> Rows:
    return Rows(ids, (at,) * len(ids), 1, role, {"inputs.x": np.zeros((len(ids), 2), np.float32)})


def test_it_knows_when_a_prediction_was_made_from_memory_and_from_files(tmp_path: Path) -> None:
    log = ModelCaptures(tmp_path, math.inf)
    log.add(rows("a", "b", at=1.0), recent=2)
    log.flush(1 << 30)
    log.add(rows("c", "d", at=2.0), recent=2)
    assert log.made_at(["a", "d", "none"]) == {"a": 1.0, "d": 2.0}


def test_files_that_cannot_hold_an_id_are_not_read_for_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    log = ModelCaptures(tmp_path, math.inf)
    for at in range(4):
        log.add(rows(f"p{at}", at=float(at)), recent=0)
        log.flush(1 << 30)
    opened, reads = list[int](), Segment.open

    def noted(segment: Segment) -> pq.ParquetFile:
        opened.append(segment.first)
        return reads(segment)

    monkeypatch.setattr(Segment, "open", noted)
    assert log.made_at(["p1", "never captured"]) == {"p1": 1.0}
    assert opened == [1]


def test_a_disk_that_takes_nothing_fills_no_memory_and_what_it_took_is_kept_once(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    log = ModelCaptures(tmp_path, math.inf)
    (tmp_path / "captures").write_text("in the way")
    for at in range(3):
        log.add(rows(f"lost{at}", at=float(at)), recent=0)
        log.flush(1 << 30)
    assert (log.buffered, log.tables()) == (0, [])
    assert caplog.text.count("1 captures are lost") == 3
    (tmp_path / "captures").unlink()
    log.add(rows("kept", at=3.0), recent=0)
    log.flush(1 << 30)
    assert log.made_at(["lost0", "kept"]) == {"kept": 3.0}


def test_numbers_survive_a_restart_and_their_names_are_bounded(tmp_path: Path) -> None:
    log = ModelCaptures(tmp_path, math.inf)
    said = pa.table({"prediction_id": ["a"], "label": [1.5]})
    for number in range(MOST_METRICS):
        log.book(f"metric.{number}").add(said, 1.0, "ann", log.made_at)
    again = ModelCaptures(tmp_path, math.inf)
    assert {len(book) for book in again.metrics.values()} == {1}
    assert len(again.metrics) == MOST_METRICS
    with pytest.raises(LifecycleError, match="at most"):
        again.book("one more")
