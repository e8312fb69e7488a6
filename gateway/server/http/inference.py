"""Every inference over HTTP, however its body is written: from a whole request to the bytes of its answer."""

import logging
import re
import time
from typing import NamedTuple, Protocol, TypeVar

from gateway.core.types import InferRequest, InferResponse
from gateway.errors import ErrorCode, GatewayError, internal
from gateway.ports import Routes
from gateway.protocols.answer_form import AnswerForm
from gateway.protocols.compression import preferred
from gateway.protocols.fields import earliest, invalid
from gateway.server.http.message import JSON_TYPE, Request, answer, fault, named
from gateway.server.packing import packed, unpacked
from gateway.server.service import Service

BINARY_TYPE = b"application/octet-stream"
TIMEOUT = b"x-headrace-timeout-ms"
_MILLISECONDS = re.compile(r"[0-9]{1,9}(\.[0-9]{1,6})?")
COMPRESS_FROM = 1024
_log = logging.getLogger(__name__)
F = TypeVar("F")


class Target(NamedTuple):
    """What the URL of an inference names."""

    model: str
    version: int | str | None


class Codec(Protocol[F]):
    """One way to write bodies. `F` is what its answer has to know of its request.

    `types` are the content types that it takes.
    """

    @property
    def types(self) -> frozenset[bytes]: ...

    def decode(
        self, routes: Routes, request: Request, target: Target, body: bytes
    ) -> tuple[InferRequest, F]: ...

    def encode(self, response: InferResponse, form: F) -> tuple[bytes, int | None]:
        """The body, and the length of its JSON part if binary tensors follow."""
        ...


async def infer(service: Service, request: Request, target: Target, codec: Codec[F]) -> bytes:
    """The answer, a fault's too. Does not suspend unless the engine does, or a large body is compressed."""
    started, asked, headers = time.monotonic_ns(), None, request.headers
    try:
        if service.gate is not None:
            service.gate.infers(service.gate.caller(headers), target.model)
        service.engine.check_room(target.model)
        _check_type(headers.get(b"content-type", b""), codec.types)
        body = request.body
        if b"content-encoding" in headers:
            body = await _inflated(request, service.max_body)
        asked, form = codec.decode(service.engine.routes, request, target, body)
        if TIMEOUT in headers:
            asked.deadline_ns = earliest(asked.deadline_ns, _time_allowed(request, started))
        response = await service.engine.infer(asked)
        body, json_length = codec.encode(response, form)
    except GatewayError as error:
        service.tally.fail(target.model, error, started, headers, asked.id if asked else "")
        return fault(request, error)
    except Exception:
        _log.exception("an inference failed")
        return fault(request, internal())
    service.tally.add(asked, response, started, headers)
    kind, extra = JSON_TYPE, named(response.version, response.prediction_id)
    if json_length is not None:
        kind = BINARY_TYPE
        extra += b"inference-header-content-length: %d\r\n" % json_length
    if len(body) >= COMPRESS_FROM and (encoding := preferred(request.header(b"accept-encoding"))):
        body = await packed(body, encoding)
        extra += b"content-encoding: %s\r\n" % encoding.encode()
    reply = answer(request, 200, kind, body, extra)
    if service.express is not None and isinstance(form, AnswerForm):
        service.express.learn(request, asked, form, response, reply)
    return reply


async def _inflated(request: Request, cap: int) -> bytes:
    encoding = request.header(b"content-encoding").lower()
    return request.body if encoding in ("", "identity") else await unpacked(request.body, encoding, cap)


def _check_type(kind: bytes, types: frozenset[bytes]) -> None:
    if kind not in types and kind.partition(b";")[0].strip().lower() not in types:
        told = " or ".join(sorted(name.decode() for name in types if name))
        raise GatewayError(ErrorCode.UNSUPPORTED, f"the content type must be {told}")


def _time_allowed(request: Request, started_ns: int) -> int:
    """When the time of the timeout header is over, on the monotonic clock. Raises INVALID."""
    text = request.header(TIMEOUT)
    if _MILLISECONDS.fullmatch(text) is None:
        raise invalid(f"{TIMEOUT.decode()} must be a number of milliseconds, such as 250")
    return started_ns + int(float(text) * 1e6)
