"""One node's Headrace, from start to end: Ray, the controller, the gateway and the edge.

The process that runs this owns them all: when it ends, in whatever way, so do they.
"""

import argparse
import asyncio
import contextlib
import json
import logging
import os
import secrets
import sys
import time
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import psutil

from gateway.config import GatewayConfig
from gateway.server import run_dir
from gateway.server.run_dir import edge_socket
from lifecycle import joined, signals
from lifecycle.config import LifecycleConfig, load
from lifecycle.errors import LifecycleError
from lifecycle.offline import check_controller
from lifecycle.remains import RAY_LOGS, lives, sweep
from lifecycle.tenure import node_name

log = logging.getLogger("headrace")

LARGEST_CALL = 128 * 2**20
"""Bytes that a call between two processes carries itself: more than a request may have by default."""
STANDBY_S = 0.5
"""How often a node that waits for another's controller looks whether it is to stop."""
RAY_SERVERS = ("gcs_server", "raylet")
LOOK_EVERY_S = 1.0
"""How often a node looks whether these live."""


def main() -> None:
    """Run until SIGTERM or SIGINT. Exits 2 with one line if it cannot start."""
    options = vars(_parser().parse_args())
    home = Path(options.pop("home")).expanduser()
    home.mkdir(mode=0o700, parents=True, exist_ok=True)  # captures hold what callers sent
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    logging.getLogger("httpx").setLevel(logging.WARNING)
    try:
        config = load(home, options)
        if not config.gateway.join:  # the registry and its keys are with the controller
            check_controller(config)
        _environment(config.gateway)
        asyncio.run(_live(config))
    except (LifecycleError, RuntimeError, OSError) as error:
        sys.exit(f"headrace: {error}")
    finally:
        # Some of Ray's helpers outlive it for a while. Only in a session of our own is nobody else's process.
        if os.getsid(0) == os.getpid():
            sweep(os.getpid())
    if config.gateway.join:
        os._exit(0)  # a Ray whose cluster has ended crashes with the interpreter


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m lifecycle", description=__doc__)
    parser.add_argument("--home", required=True)
    parser.add_argument("--host")
    parser.add_argument("--http-port", type=int)
    parser.add_argument("--grpc-port", type=int)
    parser.add_argument("--admin-port", type=int)
    parser.add_argument("--address")
    parser.add_argument("--join")
    parser.add_argument("--workers", type=int)
    parser.add_argument("--edge", choices=["haproxy", "direct"])
    return parser


def _environment(config: GatewayConfig) -> None:
    """What every process of the node inherits. Must be set before Ray is imported."""
    os.environ.update(
        HEADRACE_HOME=str(config.home),
        RAY_AUTH_MODE="token",
        RAY_AUTH_TOKEN=secrets.token_hex(32),
        RAY_worker_niceness="0",
        RAY_USAGE_STATS_ENABLED="0",
        # Despite its name, on every system: Ray binds the loopback address, not the host's.
        RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER="1" if config.address else "0",
        RAY_SERVE_CONTROL_LOOP_INTERVAL_S="0.5",
        # By default what has 100 KB goes through the object store, where requests to a dedicated version wait
        # for room: 16 callers with 1.5 MB each then wait 6 s each, and 0.2 s without it.
        RAY_max_direct_call_object_size=str(LARGEST_CALL),
        RAY_task_rpc_inlined_bytes_limit=str(LARGEST_CALL),
        RAY_SERVE_LOG_TO_STDERR="0",
        # What nobody here asks Ray for: workers' output at the driver, figures for its dashboard, a list of
        # its tasks. It takes a fifth of what an idle node costs.
        RAY_LOG_MONITOR_MANY_FILES_THRESHOLD="0",
        LOG_NAME_UPDATE_INTERVAL_S="60",
        REPORTER_UPDATE_INTERVAL_MS="600000",
        RAY_task_events_report_interval_ms="0",
    )
    if config.join:
        # Its workers serve on, however long the controller's node is away.
        os.environ.update(RAY_gcs_rpc_server_reconnect_timeout_s="1000000")


async def _live(config: LifecycleConfig) -> None:
    stopped = asyncio.Event()
    signals.heed(stopped)
    gateway = config.gateway
    state = _claim_home(gateway)
    async with contextlib.AsyncExitStack() as stack:
        stack.callback(state.unlink)
        tidy = partial(run_dir.remove, gateway.run_dir, gateway.home / RAY_LOGS)
        tidy()  # after a node that was killed
        run_dir.make(gateway.run_dir)
        stack.callback(tidy)
        stack.enter_context(run_dir.kept(gateway.run_dir))
        if gateway.join:
            if await joined.live(gateway, partial(_note, state), stopped):
                # The same process to whoever watches it, but one that has not known Ray yet.
                os.execv(sys.executable, (sys.executable, "-m", "lifecycle", *sys.argv[1:]))
            return
        async with contextlib.AsyncExitStack() as rays:
            try:
                await _lead(config, state, stopped, rays)
            except RayEndedError:
                rays.pop_all()  # nothing of it can be asked to end
                raise


class RayEndedError(RuntimeError):
    """One of Ray's two servers on this node is gone: workers may serve on, but nobody looks after them."""

    def __init__(self) -> None:
        super().__init__("Ray ended on this node; start it again")


async def _lead(
    config: LifecycleConfig, state: Path, stopped: asyncio.Event, stack: contextlib.AsyncExitStack
) -> None:
    """Begin a cluster and serve until asked to stop. What Ray has to be asked to end goes on the stack.

    Raises RayEndedError, and RuntimeError if it cannot start.
    """
    gateway = config.gateway
    controller = await _start_controller(config, stack)
    signals.heed(stopped)
    servers = [child.pid for child in psutil.Process().children() if child.name() in RAY_SERVERS]
    if not await _acts(controller, state, stopped, servers):
        return
    await _start_workers(config, controller, stack)
    _tell_gpus(state)
    edge = None
    if gateway.edge == "haproxy":
        from gateway.server.edge.process import Edge

        edge = Edge(gateway)
        await edge.start()
        stack.push_async_callback(edge.stop)
    log.info("ready: http %d, grpc %d, admin %d", gateway.http_port, gateway.grpc_port, gateway.admin_port)
    try:
        while not stopped.is_set():
            _check_ray(servers)
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(stopped.wait(), LOOK_EVERY_S)
    except RayEndedError:
        log.error("Ray has ended on this node: no new connections")
        if edge:
            await edge.stop()
        raise
    log.info("stopping: no new connections, then the workers drain")


def _check_ray(servers: Sequence[int]) -> None:
    """Raises RayEndedError unless all of these processes live."""
    if not all(lives(pid) for pid in servers):
        raise RayEndedError


async def _start_controller(config: LifecycleConfig, stack: contextlib.AsyncExitStack) -> Any:
    import ray
    from ray import serve

    from gateway.app import resource
    from gateway.serve.sync import CONTROLLER, NAMESPACE
    from lifecycle.app import Lifecycle

    name = node_name(config.gateway)

    try:
        ray.init(
            num_cpus=os.cpu_count(),
            include_dashboard=False,
            object_store_memory=100 * 1024 * 1024,
            namespace=NAMESPACE,
            resources={resource(name): 1000} if name else None,
            _node_ip_address=config.gateway.address or "127.0.0.1",
            _temp_dir=str(run_dir.ray_dir(config.gateway.run_dir)),
            log_to_driver=False,
            logging_level=logging.ERROR,
        )
    except Exception as error:  # Ray's own, of no kind: it timed out on a machine with too much to do, say
        raise RuntimeError(f"Ray did not start: {error}") from None
    stack.callback(ray.shutdown)
    # Before the controller, which asks Serve for the applications of dedicated versions.
    await asyncio.to_thread(serve.start, proxy_location="Disabled")
    actor: Any = ray.remote(Lifecycle)
    controller = actor.options(
        name=CONTROLLER,
        num_cpus=0,
        resources={"node:__internal_head__": 0.001},  # its home is here
        max_restarts=-1,
        max_task_retries=-1,
        max_concurrency=1000,
    ).remote(config)
    stack.push_async_callback(controller.close.remote)
    return controller


async def _acts(controller: Any, state: Path, stopped: asyncio.Event, servers: Sequence[int]) -> bool:
    """Wait until the controller acts; meanwhile the state names whom it waits for. False if asked to stop.

    Raises RayEndedError when one of Ray's `servers` ends.
    """
    ready = asyncio.ensure_future(_result(controller.ready.remote()))
    while not ready.done() and not stopped.is_set():
        _check_ray(servers)
        with contextlib.suppress(TimeoutError):  # while Ray dies, nobody answers
            _note(state, awaits=await asyncio.wait_for(_result(controller.awaits.remote()), 10))
        await asyncio.wait({ready}, timeout=STANDBY_S)
    if not ready.done():
        ready.cancel()  # nobody would hear of its end
        return False
    await ready
    _note(state, awaits="")
    return True


async def _result(reference: Any) -> Any:
    return await reference


async def _start_workers(config: LifecycleConfig, controller: Any, stack: contextlib.AsyncExitStack) -> None:
    from ray import serve

    from gateway.app import application, application_name

    node = node_name(config.gateway)
    name = application_name(node)
    # Workers of other nodes serve on.
    end = partial(serve.delete, name) if node else serve.shutdown
    stack.push_async_callback(asyncio.to_thread, end)
    stack.push_async_callback(controller.rest.remote)
    await asyncio.to_thread(serve.run, application(config.gateway, node), name=name, route_prefix=None)


def _note(path: Path, **said: object) -> None:
    """Add to the state, in one step: whoever reads it finds the one or the other."""
    state = json.loads(path.read_text())
    if state | said != state:
        beside = path.with_suffix(".new")
        beside.write_text(json.dumps(state | said))
        beside.replace(path)


def _claim_home(config: GatewayConfig) -> Path:
    """Write who runs this home; refuse if somebody already does."""
    path = config.home / "run" / "headrace.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    if path.exists():
        with contextlib.suppress(ValueError, KeyError, ProcessLookupError):
            pid = json.loads(path.read_text())["pid"]
            os.kill(pid, 0)
            if pid != os.getpid():  # which a node that joins once more is
                raise RuntimeError("this home is already up; `headrace down` ends it")
    state = {
        "pid": os.getpid(),
        "host": config.host,
        "http_port": config.http_port,
        "grpc_port": config.grpc_port,
        "admin_port": config.admin_port,
        "tls": config.tls is not None,
        "admin_socket": str(edge_socket(config.run_dir)) if config.edge == "haproxy" else "",
        **({"joins": config.join, "ready": False} if config.join else {}),
        "started_at": time.time(),
    }
    path.write_text(json.dumps(state))
    return path


def _tell_gpus(state: Path) -> None:
    """Add how many Ray has found, and whether the installed runtime can use them."""
    import ray

    from gateway.runtime.session import offers_cuda

    resources: Callable[[], dict[str, float]] = ray.cluster_resources
    _note(state, gpus=resources().get("GPU", 0.0), cuda=offers_cuda())
