"""Folders that nothing reaches, and those whose server says nothing."""

import errno
import os
import socket
from collections.abc import Callable
from pathlib import Path

import pytest
from s3fs import S3FileSystem

from gateway.runtime import artifact
from lifecycle.adapters.folder import AGAIN_S, Silence, is_local, named_failures, open_folder
from lifecycle.errors import LifecycleCode, LifecycleError


def test_a_path_and_a_uri_are_both_understood(tmp_path: Path) -> None:
    assert open_folder(str(tmp_path), "artifacts")[1] == str(tmp_path)
    assert is_local(open_folder(f"file://{tmp_path}", "artifacts")[0])
    assert not is_local(open_folder("memory://x", "artifacts")[0])


def test_a_uri_that_nothing_reaches_names_the_setting() -> None:
    with pytest.raises(LifecycleError, match="`checkpoints` cannot be used") as refused:
        open_folder("nosuch://bucket", "checkpoints")
    assert refused.value.code is LifecycleCode.INVALID


def test_a_failure_is_told_in_a_line_and_a_refusal_stays_one(tmp_path: Path) -> None:
    with pytest.raises(LifecycleError) as failed, named_failures("it cannot be done"):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(tmp_path))
    told = LifecycleCode.UNAVAILABLE, "it cannot be done: No space left on device"
    assert (failed.value.code, failed.value.message) == told
    refusal = LifecycleError(LifecycleCode.REFUSED, "no")
    with pytest.raises(LifecycleError) as refused, named_failures("it cannot be done"):
        raise refusal
    assert refused.value is refusal


def test_a_server_that_says_nothing_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://127.0.0.1:{silent.getsockname()[1]}")
        monkeypatch.setenv("AWS_ACCESS_KEY_ID", "headrace")
        monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "headrace")
        monkeypatch.setitem(artifact._PATIENCE["s3"]["config_kwargs"], "read_timeout", 0.1)
        S3FileSystem.clear_instance_cache()
        fs, path = open_folder("s3://bucket/folder", "artifacts")
        with pytest.raises(LifecycleError, match="Timeout") as failed, named_failures("it cannot be read"):
            fs.cat_file(f"{path}/file")
    S3FileSystem.clear_instance_cache()
    assert failed.value.code is LifecycleCode.UNAVAILABLE


def _hangs() -> None:
    raise TimeoutError


def _ask(silence: Silence, store: Callable[[], None]) -> str:
    try:
        with silence.heeded("it cannot be read"):
            store()
    except LifecycleError as error:
        return error.message
    return ""


def test_a_store_that_hangs_is_asked_by_one_at_a_time_until_it_answers() -> None:
    """Nobody else waits, so that commands for a store that is away leave threads to those that are not."""
    now, asked = 0.0, list[str]()
    silence = Silence(lambda: now)
    assert _ask(silence, _hangs) == "it cannot be read: TimeoutError"
    at_once = "it cannot be read: the store does not answer"
    assert _ask(silence, lambda: asked.append("too soon")) == at_once
    now += AGAIN_S

    def finds_out() -> None:
        assert _ask(silence, lambda: asked.append("beside")) == at_once
        _hangs()

    assert _ask(silence, finds_out) == "it cannot be read: TimeoutError"
    assert _ask(silence, lambda: asked.append("too soon")) == at_once
    now += AGAIN_S
    assert _ask(silence, lambda: None) == _ask(silence, lambda: asked.append("again")) == ""
    assert asked == ["again"]
