"""What any artifact store must keep: in a local folder, without files, and on a real S3 endpoint."""

import hashlib
import time
import uuid
from pathlib import Path

import pytest
from fsspec.core import url_to_fs

from gateway.errors import GatewayError
from gateway.runtime.artifact import ArtifactCache
from lifecycle.adapters.artifacts import FileArtifacts
from lifecycle.errors import LifecycleCode, LifecycleError
from lifecycle.ports import Artifacts


@pytest.fixture(params=["file", "memory", "s3"])
def root(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    if request.param == "file":
        return str(tmp_path / "store")
    place = "memory:/" if request.param == "memory" else request.getfixturevalue("s3")
    return f"{place}/{uuid.uuid4().hex}"


@pytest.fixture
def artifacts(root: str, tmp_path: Path) -> Artifacts:
    return FileArtifacts(root, tmp_path / "cache")


def source(tmp_path: Path, data: bytes = b"weights" * 1000) -> Path:
    path = tmp_path / "source"
    path.write_bytes(data)
    return path


def test_what_is_put_comes_back_under_its_digest(artifacts: Artifacts, tmp_path: Path) -> None:
    uri, digest = artifacts.put(source(tmp_path))
    assert digest == "sha256:" + hashlib.sha256(b"weights" * 1000).hexdigest()
    assert uri.endswith(f"/sha256/{digest[7:9]}/{digest[7:]}")
    for _ in range(2):
        assert artifacts.fetch(uri, digest).read_bytes() == b"weights" * 1000


def test_the_same_bytes_are_the_same_artifact(artifacts: Artifacts, tmp_path: Path) -> None:
    first = artifacts.put(source(tmp_path))
    assert artifacts.put(source(tmp_path)) == first
    assert artifacts.put(source(tmp_path, b"other")) != first
    assert artifacts.fetch(*first).read_bytes() == b"weights" * 1000


def test_another_digest_than_the_bytes_have_is_refused(artifacts: Artifacts, tmp_path: Path) -> None:
    uri, _ = artifacts.put(source(tmp_path))
    for digest in ("sha256:" + "0" * 64, "md5:1234", ""):
        with pytest.raises(LifecycleError) as caught:
            artifacts.fetch(uri, digest)
        assert caught.value.code is LifecycleCode.REFUSED


def test_what_is_gone_is_unavailable(artifacts: Artifacts, tmp_path: Path) -> None:
    uri, _ = artifacts.put(source(tmp_path))
    with pytest.raises(LifecycleError) as caught:
        artifacts.fetch(uri[:-64] + "1" * 64, "sha256:" + "1" * 64)
    assert caught.value.code is LifecycleCode.UNAVAILABLE
    assert str(tmp_path) not in caught.value.message


def test_a_worker_reads_what_the_controller_stored(artifacts: Artifacts, tmp_path: Path) -> None:
    uri, digest = artifacts.put(source(tmp_path))
    assert ArtifactCache(tmp_path / "worker").read(uri, digest) == b"weights" * 1000
    gone = uri[:-64] + "1" * 64, "sha256:" + "1" * 64
    with pytest.raises(GatewayError, match="cannot be read from where it is kept"):
        ArtifactCache(tmp_path / "worker").read(*gone)


def test_what_was_put_is_read_here_while_its_store_is_away(
    artifacts: Artifacts, root: str, tmp_path: Path
) -> None:
    """The control loop reads profiles between two requests' evidence: it must not wait for a network."""
    uri, digest = artifacts.put(source(tmp_path))
    fs, path = url_to_fs(root)
    if "file" in fs.protocol:
        pytest.skip("a local folder is never away")
    fs.rm_file(fs.find(path)[0])
    assert artifacts.fetch(uri, digest).read_bytes() == b"weights" * 1000
    artifacts.put(source(tmp_path))
    (stored,) = artifacts.stored()
    assert artifacts.remove(digest, stored.at + 1)
    assert [found for found in (tmp_path / "cache").rglob("*") if found.is_file()] == []


def test_a_store_leaves_nothing_half_done(artifacts: Artifacts, root: str, tmp_path: Path) -> None:
    _, digest = artifacts.put(source(tmp_path))
    with pytest.raises(LifecycleError):
        artifacts.put(tmp_path / "missing")
    fs, path = url_to_fs(root)
    assert [found.rpartition("/")[2] for found in fs.find(path)] == [digest[7:]]


def test_what_is_stored_is_listed_and_goes_unless_it_is_young(artifacts: Artifacts, tmp_path: Path) -> None:
    assert list(artifacts.stored()) == []
    uri, digest = artifacts.put(source(tmp_path))
    (file,) = artifacts.stored()
    assert (file.digest, file.size) == (digest, 7_000)
    assert abs(file.at - time.time()) < 60
    assert not artifacts.remove(digest, file.at - 1)
    assert artifacts.remove(digest, file.at + 1)
    assert not artifacts.remove(digest, file.at + 1)
    assert list(artifacts.stored()) == []
    assert artifacts.put(source(tmp_path)) == (uri, digest)
