"""A dedicated version's replica under Ray Serve: one version, its own threads, requests by handle."""

import asyncio
import time
from dataclasses import replace
from functools import partial
from typing import Any

from ray import serve

from gateway.config import Dedicated, GatewayConfig
from gateway.core.batching import Batching
from gateway.core.placement import Placement
from gateway.core.routing import VersionEntry
from gateway.core.types import Array
from gateway.errors import ErrorCode, GatewayError
from gateway.runtime.loader import Loader
from gateway.runtime.session import cuda_starts
from gateway.serve.starting import needs

START_S = 120.0
"""How long loading and warming may take."""
_AVERAGED_S = 30.0


Refusal = tuple[ErrorCode, str]
"""An error as a value. An exception would be logged by Serve with its traceback, each time."""
Reply = dict[str, Array] | Refusal
"""Outputs by name, or why there are none."""


class Replica:
    """Joins the requests of all workers into batches, as a worker's pool does."""

    def __init__(self, model: str, entry: VersionEntry, config: GatewayConfig, gpu: bool) -> None:
        own = config.dedicated
        serving = config.serving.model_copy(
            update={"threads": own.threads, "threads_per_run": own.threads_per_run}
        )
        self._loader = Loader(config.home / "cache", serving, gpu=gpu and cuda_starts())
        self._load = partial(self._loader.load, model, replace(entry, placement=Placement.POOL))
        self._version = asyncio.get_running_loop().create_task(self._load())

    async def check_health(self) -> None:
        """Called by Serve; its first call waits until the version is warm, or does not load.

        That is no reason to start the process again: whoever asks is told why at once, by `ready`.
        """
        await asyncio.wait({self._version})
        error = self._version.exception()
        if error is not None and not isinstance(error, GatewayError):
            raise error

    async def ready(self) -> Batching | Refusal:
        """What joining does here, once the version is warm. One that did not load is tried again."""
        if self._version.done() and self._version.exception() is not None:
            self._version = asyncio.create_task(self._load())
        try:
            return (await self._version).batching
        except GatewayError as error:
            return error.code, error.message

    async def run(self, inputs: dict[str, Array], outputs: tuple[str, ...], left_ns: int) -> Reply:
        """`left_ns`: until the caller's deadline. Clocks of two machines tell durations alike, not times."""
        try:
            return await (await self._version).run(inputs, outputs, time.monotonic_ns() + left_ns)
        except GatewayError as error:
            return error.code, error.message


def application(model: str, entry: VersionEntry, config: GatewayConfig, gpus: float) -> serve.Application:
    """The Serve application of one version.

    Args:
        gpus: that Ray has on some node; none are asked for if the runtime cannot use them.
    """
    own = config.dedicated
    wanted = needs(own, gpus)
    deployment = serve.deployment(
        name="Replica",
        ray_actor_options={"num_cpus": wanted["CPU"], "num_gpus": wanted["GPU"]},
        max_ongoing_requests=config.serving.queue,
        **_replicas(own),
        health_check_period_s=2,
        health_check_timeout_s=10,
        graceful_shutdown_timeout_s=config.serving.max_run_s,
        graceful_shutdown_wait_loop_s=0.1,
        max_surge_percent=100,
    )
    return deployment(Replica).bind(model, entry, config, wanted["GPU"] > 0)


def _replicas(own: Dedicated) -> dict[str, Any]:
    """How many Serve keeps, in its own words."""
    if own.max_replicas == own.min_replicas:
        return {"num_replicas": own.min_replicas}
    # Load is averaged over no longer than it must last: an average over more hides what comes and goes.
    averaged_s = min(own.scale_up_after_s, _AVERAGED_S)
    scaling = {
        "min_replicas": own.min_replicas,
        "max_replicas": own.max_replicas,
        "target_ongoing_requests": own.requests_per_replica,
        "upscale_delay_s": own.scale_up_after_s,
        "downscale_delay_s": own.scale_down_after_s,
        "look_back_period_s": averaged_s,
        "metrics_interval_s": averaged_s / 3,
    }
    return {"num_replicas": None, "autoscaling_config": scaling}
