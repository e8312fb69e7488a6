"""What `--plan` takes."""

from pathlib import Path

import pytest

from lifecycle.cli.plans import read_plan
from lifecycle.errors import LifecycleError
from tests.lifecycle.cli.conftest import Run


def test_a_preset_is_its_name() -> None:
    assert read_plan("cautious") == "cautious"


def test_a_file_starts_a_rollout(deployed: Run, tmp_path: Path) -> None:
    plan = tmp_path / "mine.toml"
    plan.write_text('name = "mine"\n[[steps]]\nweight = 25\nmin_requests = 10\n')
    rollout = deployed("rollout", "start", "fraud", 2, "--plan", plan, "--json").json
    assert rollout["plan"]["name"] == "mine"
    assert rollout["plan"]["steps"][0]["weight"] == 25


def test_a_file_that_cannot_be_read_is_refused(tmp_path: Path) -> None:
    bad = tmp_path / "bad.toml"
    bad.write_text("steps = [")
    for path in (bad, tmp_path / "none.toml"):
        with pytest.raises(LifecycleError):
            read_plan(str(path))
