"""A whole node but for Ray: a real worker behind a real HAProxy, and the same worker reached directly.

It runs in a thread of its own, so that a client that blocks does not stop the server it waits for.
"""

import asyncio
import hashlib
import shutil
import threading
from collections.abc import Coroutine, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any, TypeVar

import psutil

from gateway.config import GatewayConfig
from gateway.core.routing import ModelRoute, RouteTable, VersionEntry
from gateway.runtime.signature import signature_of
from gateway.server.edge.process import Edge
from gateway.server.grpc.server import GrpcServer
from gateway.server.run_dir import grpc_socket, http_socket
from gateway.server.service import Service
from gateway.worker import Worker
from tests.ports import free_port

T = TypeVar("T")


def config_of(home: Path, **more: Any) -> GatewayConfig:
    ports = {name: free_port() for name in ("http_port", "grpc_port", "admin_port")}
    return GatewayConfig(home=home, workers=1, **ports, **more)


def table_of(folder: Path, models: Mapping[str, bytes]) -> RouteTable:
    """Every model at version 1; `loading` has no file and never gets ready, `resting` has no traffic."""
    routes = {}
    for name, model in models.items():
        path = folder / f"{name}.onnx"
        if name != "loading":
            path.write_bytes(model)
        digest = f"sha256:{hashlib.sha256(model).hexdigest()}"
        entry = VersionEntry(1, str(path), digest, signature_of(model))
        champion, weights = (1, ((1, 100.0),)) if name != "resting" else (0, ())
        routes[name] = ModelRoute(name, (entry,), champion, weights)
    return RouteTable(1, routes)


def haproxy(config: GatewayConfig) -> list[psutil.Process]:
    """This process's children that are the edge of `config`."""
    path, found = str(config.run_dir / "haproxy.cfg"), []
    for process in psutil.Process().children():
        with suppress(psutil.NoSuchProcess):  # another test's, that has ended
            if path in process.cmdline():
                found.append(process)
    return found


class Node:
    """`edge` and `direct` are (HTTP port, gRPC port). Use as a context manager."""

    def __init__(self, config: GatewayConfig, models: Mapping[str, bytes]) -> None:
        self.config = config
        self.edge = (config.http_port, config.grpc_port)
        self.direct = (0, 0)
        self.worker: Worker
        self._models = models
        self._edge = Edge(config)
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever)

    def __enter__(self) -> "Node":
        self.config.run_dir.mkdir(exist_ok=True)
        self._thread.start()
        try:
            self.run(self._start())
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self.run(self._stop())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()
        shutil.rmtree(self.config.run_dir)

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(60)

    async def _start(self) -> None:
        worker = self.worker = Worker(self.config, "w")
        run_dir = self.config.run_dir
        await worker.shadow.start()
        await worker.routes.apply(table_of(self.config.home, self._models))
        await worker.grpc.start(f"unix:{grpc_socket(run_dir, 0)}")
        await worker.http.listen_unix(http_socket(run_dir, 0))
        self.direct = (await worker.http.listen_tcp("127.0.0.1", 0), await self._grpc_directly())
        await self._edge.start()
        await self._until_seen()

    async def _grpc_directly(self) -> int:
        self._grpc = GrpcServer(Service(self.worker.pipeline, self.config.limits))
        return await self._grpc.start("127.0.0.1:0")

    async def _until_seen(self) -> None:
        """Until HAProxy's health checks have found the worker; its stats socket says."""
        while True:
            reader, writer = await asyncio.open_unix_connection(str(self.config.run_dir / "haproxy.sock"))
            writer.write(b"show stat\n")
            lines = (await reader.read()).decode().splitlines()
            writer.close()
            if any(line.startswith("workers,w0,") and ",UP," in line for line in lines):
                return
            await asyncio.sleep(0.05)

    async def _stop(self) -> None:
        await self._edge.stop()
        await self._grpc.stop(0.05)
        await self.worker.drain()
