"""Spans of inferences and of shadows' copies, sent to an OTLP endpoint over HTTP.

The only importer of OpenTelemetry, and itself imported only where `[gateway.tracing]` is set. Spans go out
from a thread of their own; an endpoint that is away costs spans and nothing else.
"""

import time
from collections.abc import Mapping
from contextvars import ContextVar
from functools import partial

from opentelemetry.context import Context
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.sdk.trace.sampling import ALWAYS_ON, ParentBased
from opentelemetry.trace import (
    INVALID_SPAN,
    NonRecordingSpan,
    Span,
    SpanContext,
    SpanKind,
    Status,
    StatusCode,
    TraceFlags,
    TraceState,
    set_span_in_context,
)

from gateway.core.trace_context import TraceContext, trace_context
from gateway.core.types import InferRequest, InferResponse, Outcome, Role
from gateway.errors import GatewayError
from gateway.telemetry.shadow import Copied
from gateway.telemetry.trace_sampling import TraceSampling

_SEND_EVERY_MS = 1_000
_PATIENCE_S = 5.0
_FAILED = frozenset({Outcome.SERVER_ERROR, Outcome.INVALID_OUTPUT})
_CURRENT: ContextVar[Span | None] = ContextVar("span", default=None)


class Tracer:
    """One per worker. A caller's own decision about its trace stands, unless tracing is set to off.

    Args:
        endpoint: of OTLP over HTTP.
        worker: names this process among those of the service.
        sampling: decides about requests whose callers say nothing.
    """

    def __init__(self, endpoint: str, worker: str, sampling: TraceSampling) -> None:
        self._sampling = sampling
        resource = Resource.create({"service.name": "headrace", "service.instance.id": worker})
        self._provider = TracerProvider(ParentBased(ALWAYS_ON), resource, shutdown_on_exit=False)
        exporter = OTLPSpanExporter(endpoint, timeout=_PATIENCE_S)
        self._provider.add_span_processor(BatchSpanProcessor(exporter, schedule_delay_millis=_SEND_EVERY_MS))
        self._tracer = self._provider.get_tracer("headrace.gateway")

    def begin(self, request: InferRequest, headers: Mapping[bytes, bytes]) -> Span:
        """The span of an inference, in the trace that the headers name. `answered` or `failed` end it."""
        told = trace_context(headers)
        if not self._sampling.admits(request.model, told is not None):
            _CURRENT.set(None)
            return INVALID_SPAN
        span = self._tracer.start_span(f"infer {request.model}", _parent(told), SpanKind.SERVER)
        _CURRENT.set(span if span.is_recording() else None)
        if span.is_recording():
            span.set_attributes({"headrace.model": request.model, "headrace.protocol": request.protocol})
            if request.id:
                span.set_attribute("headrace.request_id", request.id)
        return span

    def answered(self, span: Span, response: InferResponse) -> None:
        span.set_attributes(
            {
                "headrace.version": response.version,
                "headrace.role": response.role.value,
                "headrace.prediction_id": response.prediction_id,
            }
        )
        span.end()

    def failed(self, span: Span, error: BaseException) -> None:
        """The error's words may quote the request, so only its code is told."""
        if isinstance(error, GatewayError):
            span.set_attribute("error.type", error.code.value)
            if error.version is not None:
                span.set_attribute("headrace.version", error.version)
            if Outcome.of(error.code) is not Outcome.CLIENT_ERROR:
                span.set_status(Status(StatusCode.ERROR, error.code.value))
        else:
            span.set_attribute("error.type", type(error).__name__)
        span.end()

    def follow(self) -> Copied | None:
        """What notes a copy of the request under way; None if that is not traced."""
        span = _CURRENT.get()
        return None if span is None else partial(self._copied, set_span_in_context(span))

    def _copied(self, parent: Context, model: str, version: int, outcome: Outcome, latency_ns: int) -> None:
        ended = time.time_ns()
        span = self._tracer.start_span(f"shadow {model}", parent, start_time=ended - latency_ns)
        span.set_attributes(
            {"headrace.model": model, "headrace.version": version, "headrace.role": Role.SHADOW.value}
        )
        if outcome in _FAILED:
            span.set_status(Status(StatusCode.ERROR, outcome.value))
        span.end(ended)

    def close(self) -> None:
        """Send what is left. Takes seconds if nobody listens: call it from a thread."""
        self._provider.shutdown()


def _parent(told: TraceContext | None) -> Context:
    if told is None:
        return Context()
    state = TraceState.from_header([told.state]) if told.state else None
    flags = TraceFlags(TraceFlags.SAMPLED if told.sampled else TraceFlags.DEFAULT)
    context = SpanContext(int(told.trace_id, 16), int(told.span_id, 16), True, flags, state)
    return set_span_in_context(NonRecordingSpan(context), Context())
