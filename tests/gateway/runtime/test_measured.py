"""Measurements survive the process once there are enough of them, and only where they hold."""

import math
from pathlib import Path

from gateway.core.batching import Batching
from gateway.runtime.measured import ENOUGH, Measured
from gateway.runtime.placement import Cost
from gateway.runtime.warmup import Warmth

DIGEST = f"sha256:{'0' * 64}"


def warmth(fixed_ns: float, batching: Batching = Batching.EXACT) -> Warmth:
    return Warmth(Cost(fixed_ns, 0.5, 30), batching)


def test_the_quickest_of_several_measurements_is_kept(tmp_path: Path) -> None:
    assert Measured(tmp_path, "1 thread").of(DIGEST) is None
    for fixed_ns in (9e5, 7e3, 8e3)[:ENOUGH]:
        assert Measured(tmp_path, "1 thread").of(DIGEST) is None
        Measured(tmp_path, "1 thread").add(DIGEST, warmth(fixed_ns))
    assert Measured(tmp_path, "1 thread").of(DIGEST) == warmth(7e3)


def test_a_disturbed_measurement_is_told_by_an_earlier_one(tmp_path: Path) -> None:
    measured = Measured(tmp_path, "")
    measured.add(DIGEST, warmth(7e3))
    assert measured.add(DIGEST, warmth(9e5, Batching.CLOSE)) == warmth(7e3, Batching.CLOSE)


def test_other_circumstances_are_measured_anew(tmp_path: Path) -> None:
    for _ in range(ENOUGH):
        Measured(tmp_path, "1 thread").add(DIGEST, warmth(7e3))
    assert Measured(tmp_path, "2 threads").of(DIGEST) is None


def test_what_could_not_be_measured_is_tried_again(tmp_path: Path) -> None:
    unmeasured = Warmth(Cost(0.0, math.inf, 30, unbounded=True), Batching.OFF)
    for _ in range(ENOUGH):
        assert Measured(tmp_path, "").add(DIGEST, unmeasured) == unmeasured
    assert Measured(tmp_path, "").of(DIGEST) is None


def test_a_torn_file_and_a_missing_folder_cost_only_time(tmp_path: Path) -> None:
    measured = Measured(tmp_path, "")
    measured.add(DIGEST, warmth(7e3))
    (file,) = tmp_path.iterdir()
    file.write_bytes(b'{"times": 3')
    assert measured.of(DIGEST) is None
    assert Measured(tmp_path / "gone", "").add(DIGEST, warmth(7e3)) == warmth(7e3)
