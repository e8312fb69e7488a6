"""Checkpoints as files: signed, checked, never replaced."""

import json
import stat
from pathlib import Path
from uuid import uuid4

import pytest
from fsspec.core import url_to_fs
from s3fs import S3FileSystem

from lifecycle.adapters.checkpoints import FileCheckpoints, public_text, signing_key
from lifecycle.core.governance.checkpoint import Statement
from lifecycle.core.governance.ledger import Head
from lifecycle.errors import LifecycleCode, LifecycleError
from tests.ports import free_port

STATED = Statement(Head(7, "ab" * 32), 12.5)


@pytest.fixture
def kept(tmp_path: Path) -> FileCheckpoints:
    signer = signing_key(tmp_path / "keys")
    return FileCheckpoints(str(tmp_path / "checkpoints"), public_text(signer), signer)


def test_what_was_added_is_read_by_whoever_has_the_public_key(kept: FileCheckpoints, tmp_path: Path) -> None:
    later = Statement(Head(9, "cd" * 32), 13.0)
    kept.add(later)
    kept.add(STATED)
    found = FileCheckpoints(str(tmp_path / "checkpoints"), kept.key).read()
    assert [one.statement for one in found.genuine] == [STATED, later]
    assert found.forged == ()


def test_before_the_first_there_are_none(kept: FileCheckpoints) -> None:
    assert kept.read().genuine == ()


def test_an_edited_one_and_one_by_another_key_are_named(kept: FileCheckpoints, tmp_path: Path) -> None:
    kept.add(STATED)
    [path] = (tmp_path / "checkpoints").iterdir()
    other = signing_key(tmp_path / "other")
    assert FileCheckpoints(str(tmp_path / "checkpoints"), public_text(other)).read().forged == (path.name,)
    path.write_text(json.dumps(json.loads(path.read_text()) | {"seq": 6}))
    assert kept.read().forged == (path.name,)
    path.write_text("not JSON")
    assert kept.read().forged == (path.name,)


def test_a_rewritten_ledger_never_replaces_a_checkpoint(kept: FileCheckpoints) -> None:
    kept.add(STATED)
    kept.add(Statement(Head(7, "ef" * 32), 20.0))
    kept.add(Statement(STATED.head, 30.0))
    assert [one.statement.at for one in kept.read().genuine] == [12.5, 20.0]


def test_the_key_is_made_once_and_its_owners_only(tmp_path: Path) -> None:
    first = signing_key(tmp_path)
    assert public_text(signing_key(tmp_path)) == public_text(first)
    assert stat.S_IMODE((tmp_path / "ledger.key").stat().st_mode) == 0o600
    assert (tmp_path / "ledger.pub").read_text() == public_text(first)
    (tmp_path / "ledger.key").write_text("x")
    with pytest.raises(LifecycleError, match="damaged"):
        signing_key(tmp_path)


def test_nothing_is_signed_without_the_private_key_nor_read_with_a_wrong_one(
    kept: FileCheckpoints, tmp_path: Path
) -> None:
    with pytest.raises(LifecycleError, match="private key"):
        FileCheckpoints(str(tmp_path), kept.key).add(STATED)
    with pytest.raises(LifecycleError, match="64 hexadecimal"):
        FileCheckpoints(str(tmp_path), "xyz")


def test_a_write_once_bucket_takes_them(s3: str, tmp_path: Path) -> None:
    """It keeps every version of an object, so a file that was moved or taken away would show."""
    bucket = f"checkpoints-{uuid4().hex}"
    server = url_to_fs(s3)[0]
    assert isinstance(server, S3FileSystem)
    server.makedirs(bucket)
    server.call_s3("put_bucket_versioning", Bucket=bucket, VersioningConfiguration={"Status": "Enabled"})
    signer = signing_key(tmp_path / "keys")
    kept = FileCheckpoints(f"s3://{bucket}/ledger", public_text(signer), signer)
    for _ in range(2):
        kept.add(STATED)
    assert [one.statement for one in kept.read().genuine] == [STATED]
    found = server.call_s3("list_object_versions", Bucket=bucket)
    assert (len(found["Versions"]), found.get("DeleteMarkers", [])) == (1, [])


def test_a_store_that_is_away_is_unavailable_in_one_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://127.0.0.1:{free_port()}")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "headrace")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "headrace")
    S3FileSystem.clear_instance_cache()
    signer = signing_key(tmp_path / "keys")
    kept = FileCheckpoints("s3://bucket/ledger", public_text(signer), signer)
    for act in (kept.read, lambda: kept.add(STATED)):
        with pytest.raises(LifecycleError, match="cannot be") as refused:
            act()
        assert refused.value.code is LifecycleCode.UNAVAILABLE
        assert "\n" not in refused.value.message
    S3FileSystem.clear_instance_cache()
