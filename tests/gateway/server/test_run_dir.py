import fcntl
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


def test_a_folder_is_removed_but_for_the_logs_of_ray(tmp_path: Path) -> None:
    ours, kept = tmp_path / "run", tmp_path / "logs" / "ray"
    for words in ("first", "second"):
        run_dir.make(ours)
        run_dir.certificate_file(ours).touch()
        (logs := run_dir.ray_dir(ours) / "session_latest" / "logs").mkdir(parents=True)
        (logs / words).touch()
        assert run_dir.remove(ours, kept)
        assert not ours.exists()
        assert [path.name for path in kept.iterdir()] == [words]
    assert not run_dir.remove(ours, kept)


def test_a_folder_that_somebody_else_made_is_not_removed(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    (link := tmp_path / "link").symlink_to(tmp_path)
    assert not run_dir.remove(link, tmp_path / "logs")
    assert (tmp_path / "file").exists()


def test_a_private_key_goes_even_when_the_logs_cannot_be_kept(tmp_path: Path) -> None:
    run_dir.make(ours := tmp_path / "run")
    (run_dir.ray_dir(ours) / "session_latest" / "logs").mkdir(parents=True)
    (tmp_path / "full").touch()
    assert run_dir.remove(ours, tmp_path / "full" / "ray")
    assert not ours.exists()


def test_while_it_is_kept_nobody_else_has_a_folder_for_himself(tmp_path: Path) -> None:
    tidier = os.open(
        tmp_path, os.O_RDONLY
    )  # takes a folder's lock, as systemd-tmpfiles does, before it looks
    with run_dir.kept(tmp_path), pytest.raises(BlockingIOError):
        fcntl.flock(tidier, fcntl.LOCK_EX | fcntl.LOCK_NB)
    fcntl.flock(tidier, fcntl.LOCK_EX | fcntl.LOCK_NB)
    os.close(tidier)
