"""The same listener and engine, with a span for every inference. Without tracing neither is in the way."""

import asyncio

from gateway.core.types import InferRequest, InferResponse
from gateway.ports import Engine, Routes
from gateway.server.context import CALLER_HEADERS
from gateway.server.http.listener import HttpListener
from gateway.server.http.message import Request
from gateway.telemetry.tracing import Tracer


class TracedListener(HttpListener):
    """Notes each request's headers where the engine finds them."""

    def handle(self, request: Request) -> bytes | asyncio.Task[bytes]:
        CALLER_HEADERS.set(request.headers)
        return super().handle(request)


class TracedEngine:
    """Implements `ports.Engine`."""

    def __init__(self, engine: Engine, tracer: Tracer) -> None:
        self._engine = engine
        self._tracer = tracer

    @property
    def routes(self) -> Routes:
        return self._engine.routes

    def check_room(self, model: str) -> None:
        self._engine.check_room(model)

    async def infer(self, request: InferRequest) -> InferResponse:
        span = self._tracer.begin(request, CALLER_HEADERS.get())
        try:
            response = await self._engine.infer(request)
        except BaseException as error:
            self._tracer.failed(span, error)
            raise
        self._tracer.answered(span, response)
        return response
