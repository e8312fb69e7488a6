"""`POST /v2/models/{m}[/versions/{v}]/infer`: from a whole HTTP request to the bytes of its answer."""

import logging
import re
import time
from typing import NamedTuple

from gateway.core.types import InferRequest, InferResponse
from gateway.errors import ErrorCode, GatewayError
from gateway.ports import Engine
from gateway.protocols import v2_answer, v2_binary, v2_json
from gateway.protocols.answer_form import AnswerForm
from gateway.protocols.compression import compress, decompress, preferred
from gateway.protocols.fields import earliest, invalid
from gateway.protocols.json_layouts import KnownBodies
from gateway.server.catalogue import find
from gateway.server.gate import Gate
from gateway.server.message import JSON_TYPE, Request, answer, fault, internal
from gateway.server.tally import Tally

BINARY_TYPE = b"application/octet-stream"
# curl and forms say x-www-form-urlencoded for any body, so it says nothing.
_TYPES = frozenset((b"", JSON_TYPE, BINARY_TYPE, b"application/x-www-form-urlencoded"))
TIMEOUT = b"x-headrace-timeout-ms"
_MILLISECONDS = re.compile(r"[0-9]{1,9}(\.[0-9]{1,6})?")
_COMPRESS_FROM = 1024
_log = logging.getLogger(__name__)


class Target(NamedTuple):
    """What an infer URL names."""

    model: str
    version: int | str | None


async def infer(
    engine: Engine,
    tally: Tally,
    request: Request,
    target: Target,
    cap: int,
    bodies: KnownBodies,
    gate: Gate | None = None,
) -> bytes:
    """The answer, a fault's too. Does not suspend unless the engine does."""
    started, asked = time.monotonic_ns(), None
    try:
        if gate is not None:
            gate.infers(gate.caller(*request.credentials()), target.model)
        engine.check_room(target.model)
        asked, form = _decode(engine, request, target, cap, bodies)
        if TIMEOUT in request.headers:
            asked.deadline_ns = earliest(asked.deadline_ns, time_allowed(request, started))
        response = await engine.infer(asked)
        body, json_length = v2_answer.encode(response, form)
    except GatewayError as error:
        tally.fail(target.model, error, started, request.headers, asked.id if asked else "")
        return fault(request, error)
    except Exception:
        _log.exception("an inference failed")
        return fault(request, internal())
    tally.add(asked, response, started, request.headers)
    extra = named(response)
    kind = JSON_TYPE
    if json_length is not None:
        kind = BINARY_TYPE
        extra += b"inference-header-content-length: %d\r\n" % json_length
    if len(body) >= _COMPRESS_FROM and (encoding := preferred(request.header(b"accept-encoding"))):
        body = compress(body, encoding)
        extra += b"content-encoding: %s\r\n" % encoding.encode()
    return answer(request, 200, kind, body, extra)


def named(response: InferResponse) -> bytes:
    """The header lines that say which version served and what the prediction is called."""
    return b"x-headrace-version: %d\r\nx-headrace-prediction-id: %s\r\n" % (
        response.version,
        response.prediction_id.encode(),
    )


def time_allowed(request: Request, started_ns: int) -> int:
    """When the time of the timeout header is over, on the monotonic clock; 0 without one. Raises INVALID."""
    if TIMEOUT not in request.headers:
        return 0
    text = request.header(TIMEOUT)
    if _MILLISECONDS.fullmatch(text) is None:
        raise invalid(f"{TIMEOUT.decode()} must be a number of milliseconds, such as 250")
    return started_ns + int(float(text) * 1e6)


def plain_body(request: Request, cap: int) -> bytes:
    """The body, decompressed. Raises UNSUPPORTED for a type or an encoding that is not taken, TOO_LARGE."""
    headers, body = request.headers, request.body
    kind = headers.get(b"content-type", b"")
    if kind not in _TYPES and kind.partition(b";")[0].strip().lower() not in _TYPES:
        raise GatewayError(
            ErrorCode.UNSUPPORTED, "the content type must be application/json or application/octet-stream"
        )
    return inflated(request, cap) if b"content-encoding" in headers else body


def inflated(request: Request, cap: int) -> bytes:
    """The body of whatever type, decompressed. Raises UNSUPPORTED for an unknown encoding, TOO_LARGE."""
    encoding = request.header(b"content-encoding").lower()
    return request.body if encoding in ("", "identity") else decompress(request.body, encoding, cap)


def _decode(
    engine: Engine, request: Request, target: Target, cap: int, bodies: KnownBodies
) -> tuple[InferRequest, AnswerForm]:
    headers, body = request.headers, plain_body(request, cap)
    key = request.routing_key()
    if b"inference-header-content-length" not in headers:
        return v2_json.decode(body, *target, key, known=bodies)
    length = v2_binary.json_length(request.header(b"inference-header-content-length"), len(body))
    if length:
        return v2_json.decode(body, *target, key, length)
    _, entry = find(engine.routes, target.model, "" if target.version is None else str(target.version))
    return v2_binary.decode_raw(body, entry.signature, *target, key)
