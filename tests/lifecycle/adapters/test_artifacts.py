import errno
import os
from pathlib import Path

import pytest

from lifecycle.adapters.artifacts import FileArtifacts
from lifecycle.errors import LifecycleCode, LifecycleError


def test_bytes_altered_in_the_store_are_refused(tmp_path: Path) -> None:
    source = tmp_path / "source"
    source.write_bytes(b"weights")
    artifacts = FileArtifacts(str(tmp_path / "store"), tmp_path / "cache")
    uri, digest = artifacts.put(source)
    assert uri.startswith("file:///")
    artifacts.fetch(uri, digest).write_bytes(b"another")
    with pytest.raises(LifecycleError) as caught:
        artifacts.fetch(uri, digest)
    assert caught.value.code is LifecycleCode.REFUSED


def test_a_put_that_fails_leaves_nothing_half_done(tmp_path: Path) -> None:
    artifacts = FileArtifacts(str(tmp_path / "store"), tmp_path / "cache")
    with pytest.raises(LifecycleError) as caught:
        artifacts.put(tmp_path / "missing")
    assert caught.value.code is LifecycleCode.UNAVAILABLE
    assert [path for path in (tmp_path / "store").rglob("*") if path.is_file()] == []


def test_a_full_disk_says_so_and_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(_: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    source = tmp_path / "source"
    source.write_bytes(b"weights")
    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(LifecycleError, match="cannot be stored: No space left on device") as caught:
        FileArtifacts(str(tmp_path / "store"), tmp_path / "cache").put(source)
    assert caught.value.code is LifecycleCode.UNAVAILABLE
    assert [path for path in (tmp_path / "store").rglob("*") if path.is_file()] == []


def test_a_bucket_that_cannot_be_made_is_unavailable(tmp_path: Path, s3: str) -> None:
    source = tmp_path / "source"
    source.write_bytes(b"weights")
    too_short = s3.replace("headrace", "ab")
    artifacts = FileArtifacts(f"{too_short}/x", tmp_path / "cache")
    with pytest.raises(LifecycleError, match="cannot be stored") as caught:
        artifacts.put(source)
    assert caught.value.code is LifecycleCode.UNAVAILABLE
