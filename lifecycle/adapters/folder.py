"""A folder on anything fsspec reaches, and what its failures are called. Knows nothing of what lies in it."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from fsspec import AbstractFileSystem
from fsspec.core import url_to_fs
from fsspec.utils import get_protocol

from lifecycle.errors import LifecycleCode, LifecycleError

_PATIENCE: Mapping[str, dict[str, dict[str, Any]]] = {
    "s3": {"config_kwargs": {"connect_timeout": 5, "read_timeout": 20, "retries": {"max_attempts": 0}}}
}
"""Of stores that can hang: one attempt, which s3fs makes a few times. Their defaults multiply to an hour."""


def open_folder(uri: str, setting: str) -> tuple[AbstractFileSystem, str]:
    """The file system that a path or an fsspec URI is on, and the path there.

    Raises:
        LifecycleError: INVALID, naming the setting, if nothing reaches such a URI.
    """
    try:
        return url_to_fs(uri, **_PATIENCE.get(get_protocol(uri), {}))
    except (ImportError, ValueError) as error:
        message = f"`{setting}` cannot be used: {error}. For S3 install headrace[s3]"
        raise LifecycleError(LifecycleCode.INVALID, message) from None


def is_local(fs: AbstractFileSystem) -> bool:
    return "file" in fs.protocol


@contextmanager
def named_failures(doing: str) -> Iterator[None]:
    """A store's errors as LifecycleError UNAVAILABLE, `doing` being what cannot be done."""
    try:
        yield
    except LifecycleError:
        raise
    except Exception as error:  # each kind of store has its own family of errors
        reason = getattr(error, "strerror", None) or type(error).__name__
        raise LifecycleError(LifecycleCode.UNAVAILABLE, f"{doing}: {reason}") from error
