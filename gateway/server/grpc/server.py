"""The complete gRPC server of a worker: every V2 call, health and reflection.

Messages arrive as bytes and are parsed by the handlers, so that garbage is the caller's fault. Calls of the
fast lane do not pass here.
"""

import logging
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import NoReturn

import grpc
import grpc.aio
from google.protobuf.descriptor_pool import DescriptorPool
from grpc_health.v1 import health, health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha import reflection, reflection_pb2

from gateway.core.types import InferRequest, InferResponse
from gateway.errors import ErrorCode, GatewayError, internal
from gateway.protocols import open_inference_pb2 as pb
from gateway.protocols import proto_answer, v2_proto
from gateway.protocols.answer_form import AnswerForm
from gateway.protocols.fields import earliest, plain_text
from gateway.protocols.grpc_frame import PUSHBACK
from gateway.protocols.status import STATUS
from gateway.server.context import CALLER_HEADERS
from gateway.server.grpc.calls import CALLS, SERVICE
from gateway.server.grpc.one_message import Call, unary
from gateway.server.service import Service

_log = logging.getLogger(__name__)
OPEN = frozenset(("ServerLive", "ServerReady"))
"""Calls that need no key: they say nothing of any model, and balancers make them."""
_MOST_WAITING = 16_384
"""Calls that the loop has not seen yet, of 13 KiB each. gRPC cancels what is beyond, by default from 1,000
on, and tells nobody to come again as the loop does that refuses."""


class GrpcServer:
    """Serves an engine on the addresses it is given."""

    def __init__(self, service: Service) -> None:
        self._service = service
        self._server: grpc.aio.Server | None = None
        self._health: health.aio.HealthServicer | None = None
        self._taking = False

    async def start(self, address: str) -> int:
        """Listen on `host:port` or `unix:path`. Returns the port, chosen if it was 0."""
        options = [
            ("grpc.max_receive_message_length", self._service.max_body),
            ("grpc.max_send_message_length", -1),
            ("grpc.so_reuseport", 1),
            ("grpc.server.max_pending_requests", _MOST_WAITING),
            ("grpc.server.max_pending_requests_hard_limit", _MOST_WAITING),
        ]
        server = self._server = grpc.aio.server(options=options)
        handlers: dict[str, grpc.RpcMethodHandler[bytes, bytes]] = {
            name: unary(self._unary(name)) for name in CALLS
        }
        handlers["ModelInfer"] = unary(self._infer)
        handlers["ModelStreamInfer"] = grpc.stream_stream_rpc_method_handler(self._stream)
        server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler(SERVICE, handlers),))
        self._health = health.aio.HealthServicer()
        health_pb2_grpc.add_HealthServicer_to_server(self._health, server)
        for service in (health.OVERALL_HEALTH, SERVICE):
            await self._health.set(service, health_pb2.HealthCheckResponse.SERVING)
        known = (SERVICE, health.SERVICE_NAME, reflection.SERVICE_NAME)
        reflection.enable_server_reflection(known, server, _described())
        port = server.add_insecure_port(address)
        await server.start()
        self._taking = True
        return port

    async def leave(self) -> None:
        """Say so to whoever asks: not ready. Calls are still answered."""
        self._taking = False
        if self._health is not None:
            await self._health.enter_graceful_shutdown()

    async def stop(self, grace_s: float) -> None:
        """Take no new calls, give those under way `grace_s`, then end them."""
        await self.leave()
        if self._server is not None:
            await self._server.stop(grace_s)

    async def _infer(self, data: bytes, call: Call) -> bytes:
        try:
            response, form = await self._answer(v2_proto.parse(data), call)
            answer = proto_answer.encode(response, form)
        except Exception as error:
            await _abort(call, error)
        await call.send_initial_metadata(_named(response.version, response.prediction_id))
        return answer

    async def _stream(self, requests: AsyncIterator[bytes], call: Call) -> AsyncIterator[bytes]:
        async for data in requests:
            refused = pb.ModelStreamInferResponse()
            try:
                message = v2_proto.parse(data)
                refused.infer_response.id = message.id
                response, form = await self._answer(message, call)
                answer = proto_answer.streamed(proto_answer.encode(response, form))
            except Exception as error:
                failure = _told(error)
                if failure.code in (ErrorCode.UNAUTHENTICATED, ErrorCode.THROTTLED):
                    await _abort(call, failure)  # a key may be revoked while its stream is open
                refused.error_message = failure.message
                if failure.version is not None:
                    refused.infer_response.model_version = str(failure.version)
                    told = refused.infer_response.parameters["headrace_prediction_id"]
                    told.string_param = failure.prediction_id
                answer = refused.SerializeToString()
            yield answer

    async def _answer(self, message: pb.ModelInferRequest, call: Call) -> tuple[InferResponse, AnswerForm]:
        service, started, headers = self._service, time.monotonic_ns(), _headers(call)
        if service.pressure.high:
            raise service.pressure.refusal()
        CALLER_HEADERS.set(headers)
        try:
            caller = service.caller(headers)
            asked, form = _decode(message, call, started)
            if service.gate is not None and caller is not None:
                service.gate.infers(caller, asked.model)
            response = await service.engine.infer(asked)
        except GatewayError as error:
            service.tally.fail(message.model_name, error, started, headers, message.id)
            raise
        except Exception:
            _log.exception("an inference failed")
            raise internal() from None
        service.tally.add(asked, response, started, headers)
        return response, form

    def _unary(self, name: str) -> Callable[[bytes, Call], Awaitable[bytes]]:
        async def answer(data: bytes, call: Call) -> bytes:
            try:
                context = self._service.context(_headers(call), ready=self._taking, everybody=name in OPEN)
                told = await CALLS[name](context, data)
                return told.SerializeToString()
            except Exception as error:
                await _abort(call, error)

        return answer


def _decode(message: pb.ModelInferRequest, call: Call, now_ns: int) -> tuple[InferRequest, AnswerForm]:
    metadata = dict(call.invocation_metadata() or ())
    key = metadata.get("x-headrace-key", "")
    asked, form = v2_proto.decode(message, plain_text("x-headrace-key", key) if key else "")
    remaining = call.time_remaining()
    if remaining is not None:
        asked.deadline_ns = earliest(asked.deadline_ns, now_ns + int(remaining * 1e9))
    return asked, form


def _headers(call: Call) -> dict[bytes, bytes]:
    """Text metadata as HTTP headers."""
    told = call.invocation_metadata() or ()
    return {name.encode(): value.encode() for name, value in told if isinstance(value, str)}


async def _abort(call: Call, error: Exception) -> NoReturn:
    failure = _told(error)
    status = STATUS[failure.code]
    told: tuple[tuple[str, str], ...] = (PUSHBACK,) if status.retryable else ()
    if failure.version is not None:
        told += _named(failure.version, failure.prediction_id)
    await call.abort(grpc.StatusCode[status.grpc_name], failure.message, told)


def _named(version: int, prediction_id: str) -> tuple[tuple[str, str], ...]:
    """The metadata that say which version served and what the prediction is called."""
    return ("x-headrace-version", str(version)), ("x-headrace-prediction-id", prediction_id)


def _told(error: Exception) -> GatewayError:
    """What the caller is told. A failure of ours is for the log."""
    if isinstance(error, GatewayError):
        return error
    _log.error("a call failed", exc_info=error)
    return internal()


def _described() -> DescriptorPool:
    """One pool of all that reflection tells about: our messages live in their own, the others by default."""
    pool = DescriptorPool()
    for file in (pb.DESCRIPTOR, health_pb2.DESCRIPTOR, reflection_pb2.DESCRIPTOR):
        pool.AddSerializedFile(file.serialized_pb)
    return pool
