"""gRPC's own framing inside HTTP: the 5-byte message prefix, timeouts and percent-encoded messages.

Sources: grpc/grpc doc/PROTOCOL-HTTP2.md; for the pushback grpc/proposal A6-client-retries.md.
"""

import re
import struct
from urllib.parse import quote

from gateway.errors import ErrorCode, GatewayError
from gateway.protocols.fields import invalid

PUSHBACK = ("grpc-retry-pushback-ms", "1000")
"""Of a fault that is worth a retry: what `retry-after` is over HTTP."""
CONTENT_TYPE = b"application/grpc"
_LIKEWISE = re.compile(CONTENT_TYPE + rb" *([+;].*)?", re.IGNORECASE)
_PREFIX = struct.Struct(">BI")
_TIMEOUT = re.compile(r"(-?[0-9]{1,8})([HMSmun])")
_UNIT_NS = {"H": 3600 * 10**9, "M": 60 * 10**9, "S": 10**9, "m": 10**6, "u": 10**3, "n": 1}
# Space to tilde without the percent sign go as they are.
_PLAIN = "".join(chr(code) for code in range(0x20, 0x7F) if chr(code) != "%")


def is_grpc(content_type: bytes) -> bool:
    """Whether a body is framed as gRPC; that of gRPC-Web, whose name begins alike, is not."""
    return content_type == CONTENT_TYPE or _LIKEWISE.fullmatch(content_type) is not None


def unframe(body: bytes, cap: int) -> tuple[bytes, bool]:
    """The one message of a unary call, and whether it is compressed. Raises INVALID, or TOO_LARGE."""
    if len(body) < _PREFIX.size:
        raise invalid("the call holds no message")
    compressed, length = _PREFIX.unpack_from(body)
    if length > cap:
        raise GatewayError(ErrorCode.TOO_LARGE, f"the message is larger than {cap} bytes")
    if length != len(body) - _PREFIX.size or compressed > 1:
        raise invalid("the call must hold exactly one message")
    return body[_PREFIX.size :], compressed == 1


def prefix(length: int) -> bytes:
    """What goes before an uncompressed message of so many bytes."""
    return _PREFIX.pack(0, length)


def timeout_ns(header: str) -> int:
    """`grpc-timeout` in nanoseconds; zero or less has passed already. INVALID if malformed."""
    match = _TIMEOUT.fullmatch(header)
    if match is None:
        raise invalid("grpc-timeout must be up to 8 digits and one of H, M, S, m, u, n")
    return int(match[1]) * _UNIT_NS[match[2]]


def percent_encoded(message: str) -> str:
    """A status message as `grpc-message` carries it."""
    return quote(message, safe=_PLAIN)
