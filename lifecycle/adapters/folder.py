"""A folder on anything fsspec reaches, and what its failures are called. Knows nothing of what lies in it."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import Lock

from fsspec import AbstractFileSystem
from fsspec.core import url_to_fs

from gateway.runtime.artifact import patience
from lifecycle.errors import LifecycleCode, LifecycleError

AGAIN_S = 10.0
"""How long a store that did not answer is left alone."""


def open_folder(uri: str, setting: str) -> tuple[AbstractFileSystem, str]:
    """The file system that a path or an fsspec URI is on, and the path there.

    Raises:
        LifecycleError: INVALID, naming the setting, if nothing reaches such a URI.
    """
    try:
        return url_to_fs(uri, **patience(uri))
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


class Silence:
    """Whether a store has ceased to answer.

    Each caller of one that hangs would hold a thread until its patience ends. So once the first has run out
    of it, one at a time finds out whether it answers again, and all others are refused at once.

    Args:
        clock: monotonic seconds.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._turn = Lock()
        self._silent = False
        self._asking = False
        self._again_at = 0.0

    @contextmanager
    def heeded(self, doing: str) -> Iterator[None]:
        """The store is asked for something. Raises as `named_failures` does, at once while it is silent."""
        finds_out = self._admit(doing)
        try:
            with named_failures(doing):
                yield
            self._silent = False
        except LifecycleError as error:
            if error.__cause__ is not None:
                self._silent = "Timeout" in type(error.__cause__).__name__
                self._again_at = self._clock() + AGAIN_S
            raise
        finally:
            if finds_out:
                self._asking = False

    def _admit(self, doing: str) -> bool:
        """Whether the caller is the one who finds out about a silent store."""
        with self._turn:
            if not self._silent:
                return False
            if self._asking or self._clock() < self._again_at:
                raise LifecycleError(LifecycleCode.UNAVAILABLE, f"{doing}: the store does not answer")
            self._asking = True
            return True
