"""The gateway's one family of errors.

A code is neutral: how it looks on the wire is decided in `protocols/status.py` only.
A message is written for the caller and must never hold a path, a traceback or an internal name.
"""

from enum import StrEnum


class ErrorCode(StrEnum):
    """What went wrong, whatever the protocol."""

    INVALID = "INVALID"
    """The caller's fault; the same request can never succeed."""
    TOO_LARGE = "TOO_LARGE"
    """Over a size cap, before or after decompression."""
    UNSUPPORTED = "UNSUPPORTED"
    """A content type, encoding or method that is not spoken here."""
    NOT_FOUND = "NOT_FOUND"
    UNAUTHENTICATED = "UNAUTHENTICATED"
    """No key, or one that is not valid."""
    FORBIDDEN = "FORBIDDEN"
    """A valid key, but not of a role that may do this."""
    THROTTLED = "THROTTLED"
    """Too many bad keys from one address."""
    NOT_READY = "NOT_READY"
    """Known, but not loaded here yet; worth a retry."""
    SWITCHED_OFF = "SWITCHED_OFF"
    """Not here until the settings say so; never worth a retry."""
    OVERLOADED = "OVERLOADED"
    DEADLINE = "DEADLINE"
    CANCELLED = "CANCELLED"
    INTERNAL = "INTERNAL"


SERVER_FAULTS = frozenset({ErrorCode.NOT_READY, ErrorCode.DEADLINE, ErrorCode.INTERNAL})
"""Codes that count against a version. A caller's own mistakes never do, nor what a limit turns away."""


class GatewayError(Exception):
    """A request that gets no answer, with the reason.

    Ray pickles exceptions between processes, so the constructor's arguments go to
    `super().__init__` unchanged.
    """

    def __init__(self, code: ErrorCode, message: str) -> None:
        super().__init__(code, message)
        self.code = code
        self.message = message
        self.version: int | None = None
        """The version chosen for the request, once one was; failures are counted under it."""
        self.prediction_id = ""
        """The request's, from then on."""

    def __str__(self) -> str:
        return self.message


def internal() -> GatewayError:
    """What a caller is told of a failure that is ours. The reason is for the log."""
    return GatewayError(ErrorCode.INTERNAL, "the server failed to answer; its log says why")


def late() -> GatewayError:
    """What a caller is told whose deadline has passed, wherever that is noticed."""
    return GatewayError(ErrorCode.DEADLINE, "the request's deadline passed before it was answered")
