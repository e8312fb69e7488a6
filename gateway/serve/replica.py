"""A dedicated version's replica under Ray Serve: one version, its own threads, requests by handle."""

import asyncio
import logging
import math
import os
import time
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

from ray import serve

from gateway.config import Dedicated, GatewayConfig
from gateway.core.batching import Batching
from gateway.core.figures import Run
from gateway.core.placement import Device, Placement, application_name
from gateway.core.routing import VersionEntry
from gateway.core.types import Array
from gateway.errors import ErrorCode, GatewayError, internal
from gateway.ports import LoadedVersion
from gateway.runtime.loader import Loader
from gateway.runtime.session import DeviceLost, cuda_starts
from gateway.serve.slots import claim
from gateway.serve.starting import needs, served
from gateway.telemetry.logs import log_to_file

START_S = 120.0
"""How long loading and warming may take."""
_PAUSE_S = 5.0
"""Serve starts a process that is not well again at once, for ever."""
_AVERAGED_S = 30.0
_MOST_LOGS = 1024
"""Replicas of one node, each with a file of its own. Far more than a node has memory for."""
log = logging.getLogger(__name__)

Refusal = tuple[ErrorCode, str]
"""An error as a value. An exception would be logged by Serve with its traceback, each time."""


class Ready(NamedTuple):
    """What a warm version is like, where it runs."""

    batching: Batching
    device: Device
    run_ns: float = math.inf
    """A process from before an upgrade may not tell it."""


class Reply(NamedTuple):
    """What a request came to, and what the replica did since it last told anybody.

    Args:
        answer: outputs by name, or why there are none.
        runs: with the requests of all workers, of which this one may be none.
        wedged: runs that were ended because they took too long.
    """

    answer: dict[str, Array] | Refusal
    runs: tuple[Run, ...] = ()
    wedged: int = 0


class Replica:
    """Joins the requests of all workers into batches, as a worker's pool does.

    Args:
        served: whether another process of the version takes requests. Blocks.
    """

    def __init__(
        self, model: str, entry: VersionEntry, config: GatewayConfig, gpu: bool, served: Callable[[], bool]
    ) -> None:
        # The number is given back by the end of the process, however that comes.
        process = f"replica-{claim(config.run_dir, 'replica', _MOST_LOGS).number}"
        log_to_file(config.home, process, config.logging, {"model": model, "version": entry.version})
        own = config.dedicated
        serving = config.serving.model_copy(
            update={"threads": own.threads, "threads_per_run": own.threads_per_run}
        )
        # It may run on another node than the one whose settings these are.
        home = Path(os.environ.get("HEADRACE_HOME", config.home))
        self._loader = Loader(home / "cache", serving, gpu=gpu and cuda_starts())
        self._load = partial(self._loader.load, model, replace(entry, placement=Placement.POOL))
        self._served = served
        self._joined = False
        self._wedged = 0
        self._lost: DeviceLost | None = None
        self._version = asyncio.get_running_loop().create_task(self._load())

    async def check_health(self) -> None:
        """Called by Serve; its first call waits until the version is warm, or does not load.

        That is no reason to start the process again: whoever asks is told why at once, by `ready`. It is one
        to leave requests to the other processes that there are. A lost GPU is a reason to replace this one.
        """
        if self._lost:
            raise self._lost
        if self._joined:
            return
        await asyncio.wait({self._version})
        error = self._version.exception()
        told = isinstance(error, GatewayError) and not isinstance(error, DeviceLost)
        if error is not None and (not told or await asyncio.to_thread(self._served)):
            log.error("the version does not load%s", f": {error}" if told else "", exc_info=error)
            await asyncio.sleep(_PAUSE_S)
            raise error
        self._joined = True

    async def ready(self) -> Ready | Refusal:
        """Comes once the version is warm. One that did not load is tried again."""
        if self._version.done() and self._version.exception() is not None:
            self._version = asyncio.create_task(self._load())
        try:
            version = await self._loaded()
            return Ready(version.batching, version.device, version.placed.run_ns)
        except GatewayError as error:
            return self._refusal(error)

    async def _loaded(self) -> LoadedVersion:
        # Not awaited itself: a caller who gives up would end the load for all.
        await asyncio.wait({self._version})
        return self._version.result()

    def _refusal(self, error: GatewayError) -> Refusal:
        if isinstance(error, DeviceLost):
            self._lost = error
        return error.code, error.message

    async def run(self, inputs: dict[str, Array], outputs: tuple[str, ...], left_ns: int) -> Reply:
        """`left_ns`: until the caller's deadline. Clocks of two machines tell durations alike, not times."""
        return self._reply(await self._run(inputs, outputs, time.monotonic_ns() + left_ns))

    async def _run(
        self, inputs: dict[str, Array], outputs: tuple[str, ...], deadline_ns: int
    ) -> dict[str, Array] | Refusal:
        try:
            version = await self._loaded()
        except GatewayError as error:
            _, reason = self._refusal(error)
            return ErrorCode.NOT_READY, f"the version does not load in its own process: {reason}"
        try:
            return await version.run(inputs, outputs, deadline_ns)
        except GatewayError as error:
            return self._refusal(error)
        except Exception:  # ours, or memory
            log.exception("a run failed")
            return ErrorCode.INTERNAL, internal().message

    def _reply(self, answer: dict[str, Array] | Refusal) -> Reply:
        runs = tuple(run for _, run in self._loader.stages.drain())
        wedged, self._wedged = self._loader.wedged - self._wedged, self._loader.wedged
        return Reply(answer, runs, wedged)


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
    among = partial(served, application_name(model, entry.version, entry.digest))
    return deployment(Replica).bind(model, entry, config, wanted["GPU"] > 0, among)


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
