"""A node that joins a cluster: its own edge and workers, under the controller of the node that began it.

It opens no registry. While the controller's node is away it serves on, with the last table. It begins anew
under the next one, but not before that one is ready to serve.
"""

import asyncio
import contextlib
import json
import logging
import os
import sys
import threading
import time
from collections.abc import Callable
from typing import Any

from gateway.config import GatewayConfig
from gateway.server.attached import attached
from gateway.server.edge.metrics import read
from gateway.server.edge.process import Edge
from gateway.server.run_dir import ray_dir, stats_socket
from lifecycle import signals
from lifecycle.cli.options import connect
from lifecycle.errors import LifecycleCode, LifecycleError
from lifecycle.remains import sweep
from lifecycle.tenure import node_name

log = logging.getLogger("headrace")

TELL_EVERY_S = 1.0
LOOK_EVERY_S = 3.0
"""How often the admin API is asked whether it is still that of the same cluster."""
RAY_STARTS_S = 120.0
LEAVES_S = 40.0
"""How long workers may drain."""

Admission = dict[str, Any]
Note = Callable[..., None]


async def live(config: GatewayConfig, note: Note, stopped: asyncio.Event) -> bool:
    """Join, and serve until asked to stop.

    Args:
        note: adds to what the node's state says of it.

    Returns:
        Whether to begin anew, in a process that has not known Ray yet: the cluster is another one.

    Raises:
        LifecycleError, RuntimeError, OSError: the cluster refuses this node, or it cannot start.
    """
    if os.getsid(0) == os.getpid():
        sweep(os.getpid())  # what is left of Ray from before this process began anew
    admission = await _admitted(config, note, stopped)
    if admission is None:
        return False
    async with contextlib.AsyncExitStack() as stack:
        raylet = await _join(config, admission, stack)
        signals.heed(stopped)
        await _start_workers(config, stack)
        edge = Edge(config)
        await edge.start()
        stack.push_async_callback(edge.stop)
        note(awaits="", why="", ready=True)
        log.info("ready: http %d, grpc %d; joined %s", config.http_port, config.grpc_port, config.join)
        anew = await _stay(config, admission, raylet, stopped)
        if not anew:
            log.info("stopping: no new connections, then the workers drain")
        await edge.stop()
        if anew or not await asyncio.to_thread(_lasts, config.join, admission):
            stack.pop_all()  # to part from a Ray that has ended may take this process along
        return anew


async def _admitted(config: GatewayConfig, note: Note, stopped: asyncio.Event) -> Admission | None:
    """Wait for the cluster to be there. None if asked to stop before."""
    while not stopped.is_set():
        try:
            return await asyncio.to_thread(_ask, config.join)
        except LifecycleError as error:
            if error.code is not LifecycleCode.UNAVAILABLE:
                raise
            note(awaits=config.join, why=error.message)
        await _pause(stopped, LOOK_EVERY_S)
    return None


def _ask(url: str) -> Admission:
    """What the cluster gives who joins.

    Raises LifecycleError: UNAVAILABLE while nobody is ready there, another code if it refuses.
    """
    with connect(url) as client:
        if not client.ready():
            raise LifecycleError(LifecycleCode.UNAVAILABLE, f"the headrace at {url} is not ready yet")
        return client.join()


def _lasts(url: str, admission: Admission) -> bool:
    """Whether the cluster that this node was admitted to is still there."""
    try:
        return bool(_ask(url)["address"] == admission["address"])
    except LifecycleError as error:
        return error.code is not LifecycleCode.UNAVAILABLE


async def _join(
    config: GatewayConfig, admission: Admission, stack: contextlib.AsyncExitStack
) -> asyncio.subprocess.Process:
    os.environ["RAY_AUTH_TOKEN"] = admission["token"]
    import ray

    from gateway.app import resource
    from gateway.serve.sync import NAMESPACE

    said = config.home / "logs" / "ray.log"
    said.parent.mkdir(parents=True, exist_ok=True)
    with said.open("wb") as output:
        raylet = await attached(
            *(sys.executable, "-m", "ray.scripts.scripts", "start", "--block", "--log-color=false"),
            *(f"--address={admission['address']}", f"--node-ip-address={config.address}"),
            f"--resources={json.dumps({resource(node_name(config)): 1000})}",
            *(f"--temp-dir={ray_dir(config.run_dir)}", "--object-store-memory=104857600"),
            output=output,
        )
    stack.push_async_callback(_end, raylet)
    deadline = time.monotonic() + RAY_STARTS_S
    while "Ray runtime started" not in said.read_text(errors="replace"):
        if raylet.returncode is not None or time.monotonic() > deadline:
            last = said.read_text(errors="replace").strip().splitlines()[-1:]
            raise RuntimeError(f"Ray did not start on this node: {' '.join(last)} (log: {said})")
        await asyncio.sleep(0.1)
    ray.init(
        admission["address"],
        namespace=NAMESPACE,
        _node_ip_address=config.address,
        log_to_driver=False,
        logging_level=logging.ERROR,
    )
    stack.callback(ray.shutdown)
    return raylet


async def _end(process: asyncio.subprocess.Process) -> None:
    if process.returncode is None:
        process.terminate()
        try:
            await asyncio.wait_for(process.wait(), 20)
        except TimeoutError:
            process.kill()
            await process.wait()


async def _start_workers(config: GatewayConfig, stack: contextlib.AsyncExitStack) -> None:
    from ray import serve

    from gateway.app import application, application_name

    node = node_name(config)
    name = application_name(node)
    stack.push_async_callback(_drain, name)
    await asyncio.to_thread(serve.run, application(config, node), name=name, route_prefix=None)


async def _drain(name: str) -> None:
    """Let workers finish and be forgotten."""
    from ray import serve

    left, loop = asyncio.Event(), asyncio.get_running_loop()

    def delete() -> None:
        serve.delete(name)
        loop.call_soon_threadsafe(left.set)

    # Nobody's to wait for at the end, should it hang.
    threading.Thread(target=delete, daemon=True).start()
    await _pause(left, LEAVES_S)


async def _stay(
    config: GatewayConfig, admission: Admission, raylet: asyncio.subprocess.Process, stopped: asyncio.Event
) -> bool:
    """Tell the controller of this node until asked to stop. True once the cluster is another one.

    Raises RuntimeError when this node's Ray ends, unless Ray ends this process first.
    """
    teller = Teller(config)
    looked, told = time.monotonic(), ""
    while not stopped.is_set():
        teller.tell()
        if raylet.returncode is not None:
            raise RuntimeError("Ray ended on this node; start it again")
        if time.monotonic() - looked >= LOOK_EVERY_S:
            looked = time.monotonic()
            try:
                found = await asyncio.to_thread(_ask, config.join)
            except LifecycleError as error:  # not even a key that ended, say, keeps a node from serving
                if told != (told := error.message):
                    log.warning("serving on without the controller: %s", told)
            else:
                told = ""
                if found["address"] != admission["address"]:
                    log.info("the controller's node has started anew; joining it")
                    return True
        await _pause(stopped, TELL_EVERY_S)
    teller.part()
    return False


class Teller:
    """Says each second that the node is there. A controller that is away gets one word, and not a queue."""

    def __init__(self, config: GatewayConfig) -> None:
        import ray

        from gateway.serve.sync import CONTROLLER, NAMESPACE

        self._config = config
        self._controller: Any = ray.get_actor(CONTROLLER, NAMESPACE)
        self._told: Any = None

    def tell(self) -> None:
        import ray

        from lifecycle.adapters.nodes import NodeReport

        if self._told is not None and not ray.wait([self._told], timeout=0)[0]:
            return
        edge = read(stats_socket(self._config.run_dir))
        self._told = self._controller.tell.remote(NodeReport(node_name(self._config), self._config, edge))

    def part(self) -> None:
        self._controller.part.remote(node_name(self._config))


async def _pause(until: asyncio.Event, seconds: float) -> None:
    with contextlib.suppress(TimeoutError):
        await asyncio.wait_for(until.wait(), seconds)
