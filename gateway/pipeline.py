"""The way of one request: choose, check, run, record, answer. Everything else is behind a port."""

import asyncio
import time
from collections.abc import Callable, Coroutine, Mapping
from typing import Any

from gateway.admission import Admission
from gateway.core.limits import ModelLimits
from gateway.core.routing import Draws, ModelRoute, choose, key_point
from gateway.core.signature import check
from gateway.core.types import InferRequest, InferResponse, Outcome
from gateway.errors import GatewayError
from gateway.ports import Routes, Shadow, Tap
from gateway.response_cache import ResponseCaches


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
        self.admission = Admission()
        self.caches = ResponseCaches()

    def check_room(self, model: str) -> None:
        """Raise OVERLOADED if a request for the model would be refused: before its body costs anything."""
        if model in self.admission.full:
            self.admission.check(model, self._route(model).limits)

    # Not a coroutine itself: one more of them on the way would cost every request 0.1 µs.
    def infer(self, request: InferRequest) -> Coroutine[Any, Any, InferResponse]:
        """Answer, or raise GatewayError. Does not suspend when the model runs inline without a limit."""
        started = time.monotonic_ns()
        route = self._route(request.model)
        if route.limits.max_concurrency:
            return self._in_turn(request, route.limits, started)
        return self._answer(request, route, started)

    async def _in_turn(self, request: InferRequest, limits: ModelLimits, started: int) -> InferResponse:
        # One that is refused here leaves no record: no version was chosen yet.
        await self.admission.enter(request.model, limits, request.deadline_ns)
        waited_ns = time.monotonic_ns() - started
        try:
            return await self._answer(request, self._route(request.model), started, waited_ns)
        finally:
            self.admission.leave(request.model)

    async def _answer(
        self, request: InferRequest, route: ModelRoute, started: int, waited_ns: int = 0
    ) -> InferResponse:
        # Without a split nothing is drawn: of a thousand models few have one, and each keeps its place.
        draw = self.draws_of(request.model)() if len(route.weights) > 1 else 0.0
        choice = choose(route, request.version, request.key, draw)
        prediction_id = self._prediction_id()
        outcome, outputs = Outcome.SERVER_ERROR, None
        try:
            version = self.routes.loaded(request.model, choice.version)
            if version is None:
                missed = time.monotonic_ns()
                version = await self.routes.load(request.model, choice.version, request.deadline_ns)
                waited_ns += time.monotonic_ns() - missed
            check(request.inputs, request.outputs, version.signature)
            if route.cache_mb:
                outputs = await self.caches.run(route, version, request)
            else:
                outputs = await version.run(request.inputs, request.outputs, request.deadline_ns)
            outcome = Outcome.INVALID_OUTPUT if version.entry.invalid(outputs) else Outcome.OK
        except asyncio.CancelledError:  # the caller has gone: no evidence against the version
            outcome = Outcome.CLIENT_ERROR
            raise
        except GatewayError as error:
            error.version, error.prediction_id = choice.version, prediction_id
            outcome = Outcome.of(error.code)
            if outcome is Outcome.REFUSED:
                self.admission.refused[request.model] += 1
            raise
        finally:
            latency_ns = time.monotonic_ns() - started
            self._tap.record(
                request, choice.version, choice.role, outcome, latency_ns, outputs, prediction_id
            )
        response = InferResponse(
            request.model,
            choice.version,
            choice.role,
            outputs,
            request.id,
            prediction_id,
            started,
            latency_ns,
            waited_ns,
        )
        if route.shadows:
            self._shadow.submit(request, response, route.shadows)
        return response

    def forget(self, models: Mapping[str, ModelRoute]) -> None:
        """Let go of what is kept of models that none of these routes is of. May be called from a thread."""
        for name in [*self._draws]:
            if name not in models:
                self._draws.pop(name, None)
        self.admission.forget(models)
        self.caches.forget(models)

    def _route(self, model: str) -> ModelRoute:
        route = self.routes.table.models.get(model)
        if route is None:
            raise self.routes.table.unknown(model)
        return route

    def draws_of(self, model: str) -> Draws:
        """Where requests without a routing key are drawn."""
        draws = self._draws.get(model)
        if draws is None:
            # Each model starts elsewhere, so that models called in step do not meet their canaries in step.
            draws = self._draws[model] = Draws(self._start + key_point(model, ""))
        return draws
