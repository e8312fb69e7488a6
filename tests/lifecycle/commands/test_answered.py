"""Late labels and numbers are read by the version that gave the answer."""

from pathlib import Path

import numpy as np
import pyarrow as pa

from gateway.core.capture import Capture, blocks
from gateway.core.types import Role
from lifecycle.adapters.captures.log import ParquetCaptures
from lifecycle.commands.answered import answers, kept, numbers


def test_each_version_has_its_own(tmp_path: Path) -> None:
    log = ParquetCaptures(tmp_path)
    for name, number, role in (("a", 1, Role.CHAMPION), ("b", 2, Role.CANARY), ("c", 2, Role.CANARY)):
        told = {"label": np.array([number])}
        made = Capture(name, 10.0, "m", number, role, {"x": np.zeros((1, 2), np.float32)}, told)
        log.append(blocks([made]))
    ids = ["a", "b", "c"]
    log.label("m", pa.table({"prediction_id": ids, "label": [1, 1, 2]}), 20.0)
    log.label("m", pa.table({"prediction_id": ids, "label": [0.5, 1.5, 2.5]}), 20.0, "revenue")
    found = answers(log, "m", 0.0)
    assert {version: seen.correct.tolist() for version, seen in found.items()} == {
        1: [True],
        2: [False, True],
    }
    series = numbers(log, "m", 0.0)["revenue"]
    assert {version: of.values.tolist() for version, of in series.items()} == {1: [0.5], 2: [1.5, 2.5]}
    assert numbers(log, "m", 11.0) == {}


def test_what_was_kept_is_counted_whether_anything_came_for_it_or_not(tmp_path: Path) -> None:
    log = ParquetCaptures(tmp_path)
    for name, number, role in (("a", 1, Role.CHAMPION), ("b", 2, Role.CANARY), ("b", 3, Role.SHADOW)):
        log.append(blocks([Capture(name, 10.0, "m", number, role, {"x": np.zeros((1, 2), np.float32)}, {})]))
    assert {version: at.tolist() for version, at in kept(log, "m", 0.0).items()} == {1: [10.0], 2: [10.0]}
    assert kept(log, "m", 11.0) == {}
