"""Unary ModelInfer over HTTP/1.1, as a balancer that ended HTTP/2 forwards it: the fast way of gRPC.

An answer is chunked, its status in the trailer; a fault is nothing but headers. Other methods belong to the
complete gRPC server.
"""

import logging
import time

from gateway.core.types import InferResponse
from gateway.errors import ErrorCode, GatewayError, internal
from gateway.protocols import proto_answer, v2_proto
from gateway.protocols.answer_form import AnswerForm
from gateway.protocols.fields import earliest
from gateway.protocols.grpc_frame import PUSHBACK, is_grpc, percent_encoded, prefix, timeout_ns, unframe
from gateway.protocols.proto_layouts import KnownLayouts
from gateway.protocols.status import STATUS
from gateway.server.http.message import Request, named
from gateway.server.packing import unpacked
from gateway.server.service import Service

SERVICE = b"/inference.GRPCInferenceService/"
INFER = SERVICE + b"ModelInfer"
_PUSHBACK = b"%s: %s\r\n" % (PUSHBACK[0].encode(), PUSHBACK[1].encode())
END = b"\r\n0\r\ngrpc-status: 0\r\n\r\n"
_log = logging.getLogger(__name__)


async def infer(service: Service, request: Request, layouts: KnownLayouts) -> bytes:
    """The answer to a call, a fault's too. Suspends as `inference.infer` does."""
    started, message, asked = time.monotonic_ns(), None, None
    try:
        # A stranger's message is not even parsed; which model it is for is known only after.
        caller = service.caller(request.headers)
        if request.method != b"POST" or request.url != INFER:
            raise GatewayError(ErrorCode.UNSUPPORTED, "only ModelInfer is answered on this path")
        deadline, key = _deadline(request, started), request.routing_key()
        # The frame is part of what is recognised: it says no more than the length, and was checked once.
        known = None if key else layouts.match(request.body)
        if known is None:
            message = v2_proto.parse(await _sent(request, service.max_body))
            known = v2_proto.decode(message, key)
            if not key:
                layouts.learn(request.body, *known)
        asked, form = known
        asked.deadline_ns = earliest(asked.deadline_ns, deadline)
        if service.gate is not None and caller is not None:
            service.gate.infers(caller, asked.model)
        response = await service.engine.infer(asked)
        reply = _answer(request, response, form)
    except GatewayError as error:
        model, named = ("", "") if message is None else (message.model_name, message.id)
        if asked is not None:
            model, named = asked.model, asked.id
        service.tally.fail(model, error, started, request.headers, named)
        return fault(request, error)
    except Exception:
        _log.exception("an inference failed")
        return fault(request, internal())
    service.tally.add(asked, response, started, request.headers)
    if service.express is not None:
        service.express.learn(request, asked, form, response, reply)
    return reply


def meant(request: Request) -> bool:
    """Whether a request is a call of gRPC. Raises UNSUPPORTED for one in another form, such as gRPC-Web's."""
    if not request.url.startswith(SERVICE):
        return False
    if not is_grpc(request.headers.get(b"content-type", b"")):
        raise GatewayError(
            ErrorCode.UNSUPPORTED,
            "gRPC has the content type application/grpc, and gRPC-Web is not spoken: "
            "POST /v2/models/NAME/infer takes JSON",
        )
    return True


def _deadline(request: Request, now_ns: int) -> int:
    """When the call's time is over, 0 for never. Raises DEADLINE if that is now, INVALID."""
    if b"grpc-timeout" not in request.headers:
        return 0
    deadline = now_ns + timeout_ns(request.header(b"grpc-timeout"))
    if deadline <= now_ns:
        raise GatewayError(ErrorCode.DEADLINE, "the deadline has passed")
    return deadline


async def _sent(request: Request, cap: int) -> bytes:
    message, compressed = unframe(request.body, cap)
    if compressed:
        message = await unpacked(message, request.header(b"grpc-encoding"), cap)
    return message


def _answer(request: Request, response: InferResponse, form: AnswerForm) -> bytes:
    parts = proto_answer.parts(response, form)
    length = sum(map(len, parts))
    before = prefix(length)
    return b"".join(
        (
            b"HTTP/1.1 200 OK\r\ncontent-type: application/grpc\r\ntransfer-encoding: chunked\r\n"
            b"trailer: grpc-status\r\nx-headrace-version: %d\r\nx-headrace-prediction-id: %s\r\n%s\r\n%x\r\n"
            % (response.version, response.prediction_id.encode(), _connection(request), len(before) + length),
            before,
            *parts,
            END,
        )
    )


def fault(request: Request, error: GatewayError) -> bytes:
    """A failed call: HTTP 200 with the status among the headers."""
    status = STATUS[error.code]
    extra = _connection(request) + (_PUSHBACK if status.retryable else b"")
    if error.version is not None:
        extra += named(error.version, error.prediction_id)
    return (
        b"HTTP/1.1 200 OK\r\ncontent-type: application/grpc\r\ngrpc-status: %d\r\ngrpc-message: %s\r\n"
        b"content-length: 0\r\n%s\r\n" % (status.grpc, percent_encoded(error.message).encode(), extra)
    )


def _connection(request: Request) -> bytes:
    return b"connection: close\r\n" if request.close else b""
