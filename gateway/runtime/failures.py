"""Why versions cannot run, for whoever asks. Only words: an exception's traceback would keep alive what was
loaded until then.
"""

import time
from typing import NamedTuple

from gateway.core.types import VersionKey
from gateway.errors import ErrorCode, GatewayError


class NoRoom(GatewayError):
    """What others hold leaves no room for a version that may be sound."""


class _Failure(NamedTuple):
    """`until`, on the monotonic clock, requests do not try again."""

    code: ErrorCode
    message: str
    no_room: bool
    until: float


class Failures:
    """The last of each version, until it is forgotten."""

    def __init__(self) -> None:
        self._failures: dict[VersionKey, _Failure] = {}

    @property
    def reasons(self) -> dict[VersionKey, str]:
        return {key: failure.message for key, failure in self._failures.items()}

    @property
    def no_room(self) -> frozenset[VersionKey]:
        """Those that found no room."""
        return frozenset(key for key, failure in self._failures.items() if failure.no_room)

    def note(self, key: VersionKey, error: GatewayError, rest_s: float = 0.0) -> None:
        no_room, until = isinstance(error, NoRoom), time.monotonic() + rest_s
        self._failures[key] = _Failure(error.code, error.message, no_room, until)

    def check(self, key: VersionKey) -> None:
        """Raise as `not_ready` says while a version rests."""
        failure = self._failures.get(key)
        if failure is not None and time.monotonic() < failure.until:
            raise not_ready(key, failure.code, failure.message)

    def forget(self, key: VersionKey) -> None:
        self._failures.pop(key, None)


def not_ready(key: VersionKey, code: ErrorCode, message: str) -> GatewayError:
    """What a request hears: another worker may have the version, or this one a little later."""
    if code is not ErrorCode.NOT_READY:
        message = f"version {key[1]} of model {key[0]!r} does not load: {message}"
    return GatewayError(ErrorCode.NOT_READY, message)
