"""One HTTP request as the parser gathered it, and the bytes of its answer."""

from typing import Any

import orjson

from gateway.errors import ErrorCode, GatewayError
from gateway.protocols.fields import check_depth, invalid, json_object, plain_text
from gateway.protocols.status import STATUS

_REASONS = {
    200: b"OK",
    400: b"Bad Request",
    401: b"Unauthorized",
    403: b"Forbidden",
    404: b"Not Found",
    405: b"Method Not Allowed",
    408: b"Request Timeout",
    413: b"Content Too Large",
    414: b"URI Too Long",
    415: b"Unsupported Media Type",
    429: b"Too Many Requests",
    431: b"Request Header Fields Too Large",
    499: b"Client Closed Request",
    500: b"Internal Server Error",
    503: b"Service Unavailable",
    504: b"Gateway Timeout",
}
JSON_TYPE = b"application/json"
ROUTING_KEY = b"x-headrace-key"
_PIECE = 4096


class Request:
    """Belongs to one request only: nothing of it may outlive the answer.

    `headers` has lower-case names; a header given twice is joined with a comma. `close` says that the
    connection ends with this answer. `head` has its bytes if they came before, else it is empty.
    """

    __slots__ = ("_pieces", "body", "close", "head", "headers", "method", "old", "url")

    def __init__(self) -> None:
        self.head = b""
        self.method = b""
        self.url = b""
        self.headers: dict[bytes, bytes] = {}
        self.body = b""
        self._pieces: list[bytes | bytearray] | None = None
        self.close = False
        self.old = False  # HTTP/1.0, where keep-alive must be said

    def extend(self, piece: bytes) -> None:
        """Take a piece of the body, which is whole after `join`."""
        if not self.body:
            self.body = piece
            return
        if self._pieces is None:
            self._pieces = [self.body]
        # A large body comes in pieces of 16 KiB; an array that grows would copy what it has again and again.
        # Bytes that trickle in must not become an object each.
        if len(piece) >= _PIECE:
            self._pieces.append(piece)
        elif isinstance(last := self._pieces[-1], bytearray):
            last += piece
        else:
            self._pieces.append(bytearray(piece))

    def join(self) -> None:
        """The body has come."""
        if self._pieces is not None:
            self.body, self._pieces = b"".join(self._pieces), None

    def unoffered(self) -> bytes:
        """The head once more, without its offer to go on in another protocol: the last of its connection."""
        fields = {name: value for name, value in self.headers.items() if name != b"upgrade"}
        fields[b"connection"] = b"close"
        lines = b"".join(b"%s: %s\r\n" % field for field in fields.items())
        return b"%s %s HTTP/1.%d\r\n%s\r\n" % (self.method, self.url, not self.old, lines)

    def header(self, name: bytes) -> str:
        return self.headers.get(name, b"").decode("latin-1")

    def routing_key(self) -> str:
        """The header's routing key, empty without one. Raises GatewayError INVALID for what is none."""
        key = self.headers.get(ROUTING_KEY)
        if key is None:
            return ""
        try:
            return plain_text(ROUTING_KEY.decode(), key.decode())
        except UnicodeDecodeError:
            raise invalid(f"{ROUTING_KEY.decode()} must be UTF-8") from None


def answer(request: Request, status: int, kind: bytes, body: bytes, extra: bytes = b"") -> bytes:
    """A whole answer. `extra` holds further header lines, each ended."""
    if request.close:
        extra += b"connection: close\r\n"
    elif request.old:
        extra += b"connection: keep-alive\r\n"
    head = b"HTTP/1.1 %d %s\r\ncontent-type: %s\r\ncontent-length: %d\r\n%s\r\n" % (
        status,
        _REASONS[status],
        kind,
        len(body),
        extra,
    )
    return head if request.method == b"HEAD" else head + body


def json_answer(request: Request, status: int, document: object, extra: bytes = b"") -> bytes:
    return answer(request, status, JSON_TYPE, orjson.dumps(document), extra)


def document(request: Request) -> dict[str, Any]:
    """The body as a JSON object, empty if there is none. Raises GatewayError INVALID."""
    told = json_object(request.body) if request.body else {}
    check_depth(told)
    return told


def named(version: int, prediction_id: str) -> bytes:
    """The header lines that say which version served and what the prediction is called."""
    return b"x-headrace-version: %d\r\nx-headrace-prediction-id: %s\r\n" % (version, prediction_id.encode())


def fault(request: Request, error: GatewayError) -> bytes:
    """The answer to a request that failed."""
    status = STATUS[error.code]
    extra = b"retry-after: 1\r\n" if status.retryable else b""
    if error.code is ErrorCode.UNAUTHENTICATED:
        extra = b"www-authenticate: Bearer\r\n"
    if error.version is not None:
        extra += named(error.version, error.prediction_id)
    return json_answer(request, status.http, {"error": error.message}, extra)


def refusal(status: int, message: str) -> bytes:
    """The answer to what never became a request; the connection ends with it."""
    request = Request()
    request.close = True
    return json_answer(request, status, {"error": message})
