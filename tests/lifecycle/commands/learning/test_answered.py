"""Late labels and numbers are read by the version that gave the answer."""

from pathlib import Path

import numpy as np
import pyarrow as pa

from gateway.core.capture import Capture, blocks
from gateway.core.types import Role
from lifecycle.adapters.captures.log import ParquetCaptures
from lifecycle.commands.learning.answered import arrived
from lifecycle.core.performance.answers import Measure


def test_each_version_has_its_own(tmp_path: Path) -> None:
    log = ParquetCaptures(tmp_path)
    for name, number, role in (("a", 1, Role.CHAMPION), ("b", 2, Role.CANARY), ("c", 2, Role.CANARY)):
        told = {"label": np.array([number])}
        made = Capture(name, 10.0, "m", number, role, {"x": np.zeros((1, 2), np.float32)}, told)
        log.append(blocks([made]))
    ids = ["a", "b", "c"]
    log.label("m", pa.table({"prediction_id": ids, "label": [1, 1, 2]}), 20.0)
    log.label("m", pa.table({"prediction_id": ids, "label": [0.5, 1.5, 2.5]}), 20.0, "revenue")
    found = arrived(log, "m", 0.0)
    assert {version: seen.errors.rows.tolist() for version, seen in found.answers.items()} == {
        1: [0.0],
        2: [1.0, 0.0],
    }
    series = found.metrics["revenue"]
    assert {version: of.values.tolist() for version, of in series.items()} == {1: [0.5], 2: [1.5, 2.5]}
    later = arrived(log, "m", 21.0)
    assert (later.answers, later.metrics) == ({}, {})


def test_numbers_are_off_by_so_much_and_who_asked_for_a_version_is_told_apart(tmp_path: Path) -> None:
    log = ParquetCaptures(tmp_path)
    for name, role in (("a", Role.CHAMPION), ("b", Role.PINNED)):
        told = {"price": np.array([[2.0]], np.float32)}
        log.append(blocks([Capture(name, 10.0, "m", 1, role, {"x": np.zeros((1, 2), np.float32)}, told)]))
    log.label("m", pa.table({"prediction_id": ["a", "b"], "label": [1.0, 0.0]}), 20.0)
    assert arrived(log, "m", 0.0).answers[1].errors.measure is Measure.ACCURACY  # so far it may be a score
    found = arrived(log, "m", 0.0, Measure.MAE).answers[1]
    assert (found.errors.rows.tolist(), found.drawn.tolist()) == ([1.0, 2.0], [True, False])


def test_what_was_kept_is_counted_whether_anything_came_for_it_or_not(tmp_path: Path) -> None:
    log = ParquetCaptures(tmp_path)
    for name, number, role in (("a", 1, Role.CHAMPION), ("b", 2, Role.CANARY), ("b", 3, Role.SHADOW)):
        log.append(blocks([Capture(name, 10.0, "m", number, role, {"x": np.zeros((1, 2), np.float32)}, {})]))
    made = arrived(log, "m", 0.0).made
    assert {version: at.tolist() for version, at in made.items()} == {1: [10.0], 2: [10.0]}
    assert arrived(log, "m", 11.0).made == {}
