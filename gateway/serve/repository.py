"""Asks the lifecycle controller to load or unload a model. Never waits long for a controller that is down."""

import asyncio

import ray

from gateway.errors import ErrorCode, GatewayError
from gateway.serve.sync import CONTROLLER, NAMESPACE

_ANSWERS_WITHIN_S = 3.0
DONE_WITHIN_S = 180.0
"""Longer than the controller itself waits for its workers to load a version."""


class ControllerRepository:
    """Implements `ports.Repository`."""

    async def change(self, verb: str, model: str, actor: str) -> None:
        """Raises GatewayError: what the controller says, or NOT_READY if it says nothing."""
        try:
            controller = await asyncio.to_thread(ray.get_actor, CONTROLLER, NAMESPACE)
            # A call waits for an actor that Ray starts again; what was given up on must not happen later.
            await asyncio.wait_for(controller.ready.remote(), _ANSWERS_WITHIN_S)
            refusal = await asyncio.wait_for(controller.control.remote(verb, model, actor), DONE_WITHIN_S)
        except (TimeoutError, ray.exceptions.RayError, ValueError):
            raise GatewayError(ErrorCode.NOT_READY, "the controller does not answer; try again") from None
        if refusal is not None:
            raise refusal
