import os
from pathlib import Path

import pytest

from gateway.server import run_dir


def test_a_folder_of_our_own_is_closed_to_others(tmp_path: Path) -> None:
    ours = tmp_path / "run"
    run_dir.make(ours)
    assert ours.stat().st_mode & 0o777 == 0o700
    ours.chmod(0o777)
    run_dir.make(ours)
    assert ours.stat().st_mode & 0o777 == 0o700


def test_a_folder_that_somebody_else_made_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "link").symlink_to(tmp_path)
    with pytest.raises(RuntimeError, match="link is somebody else's"):
        run_dir.make(tmp_path / "link")
    monkeypatch.setattr(os, "getuid", lambda: tmp_path.stat().st_uid + 1)
    with pytest.raises(RuntimeError, match="set TMPDIR"):
        run_dir.make(tmp_path)
