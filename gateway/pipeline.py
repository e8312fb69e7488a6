"""The way of one request: choose, check, run, record, answer. Everything else is behind a port."""

import asyncio
import time
from collections.abc import Callable

from gateway.core.finite import nonfinite
from gateway.core.routing import Draws, choose, key_point
from gateway.core.signature import check
from gateway.core.types import InferRequest, InferResponse, Outcome
from gateway.errors import SERVER_FAULTS, ErrorCode, GatewayError
from gateway.ports import Routes, Shadow, Tap


class Pipeline:
    """Answers requests by the current route table.

    Args:
        start: where in [0, 1) this worker's draws begin, so that two workers do not draw alike.
        prediction_id: gives a new id on every call, unique among all workers and restarts.
    """

    def __init__(
        self, routes: Routes, tap: Tap, shadow: Shadow, start: float, prediction_id: Callable[[], str]
    ) -> None:
        self.routes = routes
        self._tap = tap
        self._shadow = shadow
        self._start = start
        self._prediction_id = prediction_id
        self._draws: dict[str, Draws] = {}

    async def infer(self, request: InferRequest) -> InferResponse:
        """Answer, or raise GatewayError. Does not suspend when the model runs inline."""
        started = time.monotonic_ns()
        route = self.routes.table.models.get(request.model)
        if route is None:
            raise GatewayError(ErrorCode.NOT_FOUND, f"no model named {request.model!r} is served here")
        choice = choose(route, request.version, request.key, self._draw(request.model))
        prediction_id = self._prediction_id()
        outcome, outputs = Outcome.SERVER_ERROR, None
        try:
            version = self.routes.loaded(request.model, choice.version)
            check(request.inputs, request.outputs, version.signature)
            outputs = await version.run(request.inputs, request.outputs, request.deadline_ns)
            outcome = Outcome.INVALID_OUTPUT if nonfinite(outputs) else Outcome.OK
        except asyncio.CancelledError:  # the caller has gone: no evidence against the version
            outcome = Outcome.CLIENT_ERROR
            raise
        except GatewayError as error:
            if error.code not in SERVER_FAULTS:
                outcome = Outcome.CLIENT_ERROR
            raise
        finally:
            latency_ns = time.monotonic_ns() - started
            self._tap.record(
                request, choice.version, choice.role, outcome, latency_ns, outputs, prediction_id
            )
        response = InferResponse(
            request.model, choice.version, choice.role, outputs, request.id, prediction_id
        )
        if route.shadows:
            self._shadow.submit(request, response, route.shadows)
        return response

    def _draw(self, model: str) -> float:
        draw = self._draws.get(model)
        if draw is None:
            # Each model starts elsewhere, so that models called in step do not meet their canaries in step.
            draw = self._draws[model] = Draws(self._start + key_point(model, ""))
        return draw()
