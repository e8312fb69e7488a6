"""A gateway worker as a Ray Serve replica. Serve places, checks, restarts and rolls it; nothing passes
through Serve on the way of a request: the worker owns its listeners, on the sockets of a slot.
"""

import asyncio
import os

from ray import serve

from gateway.config import GatewayConfig
from gateway.runtime.stages import StageLog
from gateway.serve.dedicated import DedicatedLoader
from gateway.serve.recycling import Recycling
from gateway.serve.repository import ControllerRepository
from gateway.serve.slots import claim
from gateway.serve.sync import RouteSync
from gateway.server.descriptors import raise_soft_limit
from gateway.server.neighbours import Neighbours
from gateway.server.run_dir import grpc_socket, http_socket
from gateway.telemetry.logs import log_to_file
from gateway.worker import Worker

_JOIN_BALANCER_S = 0.3
"""HAProxy looks at an empty slot every 100 ms. In an upgrade an old worker leaves when a new one is ready."""
_LEAVE_BALANCER_S = 0.7
"""HAProxy checks a worker every 500 ms; one that leaves waits until it was seen to be leaving."""


class Gateway:
    """One replica. A listener opens only when the stored route table is loaded and warm.

    Args:
        node: the name of the node among those of a cluster; empty for one that stands alone.
    """

    def __init__(self, config: GatewayConfig, node: str = "") -> None:
        self._config = config
        self._slot = claim(config.run_dir, "worker", config.slots)
        raise_soft_limit()
        log_to_file(config.home, f"worker-{self._slot.number}", config.logging)
        name = f"worker-{self._slot.number}-{os.getpid()}"
        name = f"{node}/{name}" if node else name
        neighbours = Neighbours(config.run_dir, config.slots, self._slot.number)
        stages = StageLog()
        dedicated = DedicatedLoader(
            config.serving,
            config.dedicated,
            stages,
            lambda key, error: self._worker.residence.note_lost(key, error),
        )
        self._worker = Worker(
            config,
            name,
            dedicated=dedicated,
            repository=ControllerRepository(),
            shared=config.run_dir,
            neighbours=neighbours,
            stages=stages,
        )
        self._sync = RouteSync(self._worker, config)
        self._recycling = Recycling(
            config.run_dir, neighbours, config.workers - 1, config.serving.recycle_above_mb
        )
        self._started = asyncio.get_running_loop().create_task(self._start())

    async def _start(self) -> None:
        await self._worker.shadow.start()
        await self._sync.start()
        self._worker.settle()
        await self._listen()

    async def _listen(self) -> None:
        config, worker = self._config, self._worker
        inner = http_socket(config.run_dir, self._slot.number)  # of the edge, and of the neighbours
        if config.edge == "direct":
            await worker.grpc.start(f"{config.host}:{config.grpc_port}")
            await worker.http.listen_unix(inner)
            await worker.http.listen_tcp(config.host, config.http_port)
        else:
            await worker.grpc.start(f"unix:{grpc_socket(config.run_dir, self._slot.number)}")
            await worker.http.listen_unix(inner)
            await asyncio.sleep(_JOIN_BALANCER_S)

    async def check_health(self) -> None:
        """Called by Serve; raising makes it replace the worker."""
        if not self._started.done():  # its first call: a worker that fails that one is ended undrained
            await self._started
            return
        if not self._worker.http.serving:
            raise RuntimeError("the listener is closed")
        if await self._recycling.due():
            raise RuntimeError("the worker has grown and makes way for a new one")

    async def __del__(self) -> None:
        # Awaited by Serve at shutdown. First leave the balancer, then finish what is under way.
        await self._worker.leave()
        await asyncio.sleep(_LEAVE_BALANCER_S)
        await self._worker.finish()
        await self._sync.stop()
        await self._worker.close()
        self._slot.release()


def application_name(node: str) -> str:
    """Each node of a cluster has an application of its own, with that node's settings."""
    return f"gateway-{node}" if node else "gateway"


def resource(node: str) -> str:
    """What Ray has on this node only, by which workers get to theirs."""
    return f"node-{node}"


def application(config: GatewayConfig, node: str = "") -> serve.Application:
    """The Serve application of a node: as many replicas as its configuration names."""
    deployment = serve.deployment(
        name="Gateway",
        num_replicas=config.workers,
        ray_actor_options={"num_cpus": 0, "resources": {resource(node): 0.001} if node else {}},
        max_ongoing_requests=10_000,
        health_check_period_s=2,
        health_check_timeout_s=10,
        graceful_shutdown_timeout_s=20,
        graceful_shutdown_wait_loop_s=0.1,
        max_surge_percent=100,  # an upgrade starts all new workers first: there are slots for them
    )
    return deployment(Gateway).bind(config, node)
