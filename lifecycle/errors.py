"""The lifecycle's one family of errors, mapped to HTTP once in `api/status.py`."""

from enum import StrEnum


class LifecycleCode(StrEnum):
    """What went wrong, whatever the protocol; `api/status.py` says how each looks over HTTP and gRPC."""

    INVALID = "INVALID"
    """The request can never succeed as it stands."""
    NOT_FOUND = "NOT_FOUND"
    CONFLICT = "CONFLICT"
    """Another change stands in the way (a running rollout, a taken version number)."""
    STALE = "STALE"
    """The revision that the caller saw is no longer the current one."""
    REFUSED = "REFUSED"
    """An artifact or a version did not pass; the message says which gate."""
    UNSUPPORTED = "UNSUPPORTED"
    """A file of a kind that is never opened, such as a pickle."""
    UNAUTHENTICATED = "UNAUTHENTICATED"
    """No key, or one that is not valid."""
    FORBIDDEN = "FORBIDDEN"
    THROTTLED = "THROTTLED"
    """Too many bad keys from one address."""
    UNAVAILABLE = "UNAVAILABLE"
    INTERNAL = "INTERNAL"


class LifecycleError(Exception):
    """A command that was not carried out. The message names the next step.

    Arguments go unchanged to `super().__init__`, so it survives pickling between processes.
    """

    def __init__(self, code: LifecycleCode, message: str) -> None:
        super().__init__(code, message)
        self.code = code
        self.message = message

    def __str__(self) -> str:
        return self.message
