"""How each error code looks on the wire. The only place that knows."""

from typing import NamedTuple

from gateway.errors import ErrorCode


class Status(NamedTuple):
    """`grpc` is the canonical number, `grpc_name` its name; `retryable`: worth sending again."""

    http: int
    grpc: int
    grpc_name: str
    retryable: bool


STATUS: dict[ErrorCode, Status] = {
    ErrorCode.INVALID: Status(400, 3, "INVALID_ARGUMENT", False),
    ErrorCode.TOO_LARGE: Status(413, 8, "RESOURCE_EXHAUSTED", False),
    ErrorCode.UNSUPPORTED: Status(415, 12, "UNIMPLEMENTED", False),
    ErrorCode.NOT_FOUND: Status(404, 5, "NOT_FOUND", False),
    ErrorCode.UNAUTHENTICATED: Status(401, 16, "UNAUTHENTICATED", False),
    ErrorCode.FORBIDDEN: Status(403, 7, "PERMISSION_DENIED", False),
    ErrorCode.THROTTLED: Status(429, 8, "RESOURCE_EXHAUSTED", False),
    ErrorCode.NOT_READY: Status(503, 14, "UNAVAILABLE", True),
    ErrorCode.SWITCHED_OFF: Status(503, 14, "UNAVAILABLE", False),
    ErrorCode.OVERLOADED: Status(503, 8, "RESOURCE_EXHAUSTED", True),
    ErrorCode.DEADLINE: Status(504, 4, "DEADLINE_EXCEEDED", False),
    ErrorCode.CANCELLED: Status(499, 1, "CANCELLED", False),
    ErrorCode.INTERNAL: Status(500, 13, "INTERNAL", False),
}
