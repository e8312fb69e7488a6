"""A few of the thousand kill points of `benchmarks/faults/kill_points.py`."""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.postgres import MISSING, programs

ROOT = Path(__file__).parents[3]


@pytest.mark.slow
@pytest.mark.parametrize("store", ["sqlite", "postgres"])
def test_a_killed_control_plane_loses_nothing_and_ends_each_rollout_once(store: str, tmp_path: Path) -> None:
    if store == "postgres" and programs() is None:
        pytest.skip(MISSING)
    command = [
        sys.executable,
        "-m",
        "benchmarks.faults.kill_points",
        "--points=20",
        f"--store={store}",
        f"--results={tmp_path}",
    ]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False, timeout=120)
    assert done.returncode == 0, done.stderr
    assert "20 kill points" in done.stdout
