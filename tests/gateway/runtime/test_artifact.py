from pathlib import Path

import pytest

from gateway.errors import ErrorCode, GatewayError
from gateway.runtime.artifact import ArtifactCache, digest_of

DATA = b"model bytes"


@pytest.fixture
def source(tmp_path: Path) -> Path:
    path = tmp_path / "source.onnx"
    path.write_bytes(DATA)
    return path


@pytest.fixture
def cache(tmp_path: Path) -> ArtifactCache:
    return ArtifactCache(tmp_path / "cache")


def test_a_plain_path_and_a_file_uri_are_read(source: Path, cache: ArtifactCache, tmp_path: Path) -> None:
    assert cache.read(str(source), digest_of(DATA)) == DATA
    assert ArtifactCache(tmp_path / "other").read(source.as_uri(), digest_of(DATA)) == DATA


def test_what_was_read_once_needs_no_source(source: Path, cache: ArtifactCache) -> None:
    cache.read(str(source), digest_of(DATA))
    source.unlink()
    assert cache.read(str(source), digest_of(DATA)) == DATA


def test_a_damaged_cache_is_read_again(source: Path, cache: ArtifactCache, tmp_path: Path) -> None:
    cache.read(str(source), digest_of(DATA))
    (held,) = (tmp_path / "cache").iterdir()
    held.write_bytes(b"damaged")
    assert cache.read(str(source), digest_of(DATA)) == DATA
    assert held.read_bytes() == DATA


def test_altered_bytes_are_refused_and_not_kept(source: Path, cache: ArtifactCache, tmp_path: Path) -> None:
    digest = digest_of(DATA)
    source.write_bytes(DATA + b"!")
    with pytest.raises(GatewayError, match="altered") as caught:
        cache.read(str(source), digest)
    assert caught.value.code is ErrorCode.INTERNAL
    assert not (tmp_path / "cache").exists()


@pytest.mark.parametrize("uri", ["{}/nothing.onnx", "nosuchscheme://x/y"])
def test_a_missing_source_is_internal_without_a_path(uri: str, cache: ArtifactCache, tmp_path: Path) -> None:
    with pytest.raises(GatewayError) as caught:
        cache.read(uri.format(tmp_path), digest_of(DATA))
    assert caught.value.code is ErrorCode.INTERNAL
    assert str(tmp_path) not in str(caught.value)


@pytest.mark.parametrize("digest", ["", "md5:00", "sha256:../../etc/passwd", "sha256:" + "0" * 63])
def test_a_digest_is_never_a_path(digest: str, source: Path, cache: ArtifactCache) -> None:
    with pytest.raises(GatewayError, match="digest"):
        cache.read(str(source), digest)


def test_a_cache_that_cannot_be_written_costs_no_load(source: Path, tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    assert ArtifactCache(tmp_path / "file").read(str(source), digest_of(DATA)) == DATA
