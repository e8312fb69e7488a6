"""The same gateway in one process, without Ray, edge or controller: for tests and laptops.

python -m gateway.local digits=model.onnx [--http-port 8000] [--grpc-port 8001]
"""

import argparse
import asyncio
import contextlib
import hashlib
from collections.abc import AsyncIterator
from pathlib import Path

import uvloop

from gateway.config import GatewayConfig
from gateway.core.routing import ModelRoute, RouteTable, VersionEntry
from gateway.runtime.signature import signature_of
from gateway.worker import Worker


def table_of(models: dict[str, Path]) -> RouteTable:
    """A table that serves each ONNX file as version 1 of its model, with all the traffic."""
    return RouteTable(1, {name: _route(name, path) for name, path in models.items()})


def _route(name: str, path: Path) -> ModelRoute:
    data = path.read_bytes()
    digest = f"sha256:{hashlib.sha256(data).hexdigest()}"
    entry = VersionEntry(1, str(path.resolve()), digest, signature_of(data))
    return ModelRoute(name, (entry,), champion=1, weights=((1, 100.0),))


@contextlib.asynccontextmanager
async def running(config: GatewayConfig, table: RouteTable) -> AsyncIterator[Worker]:
    """A worker with open listeners on the configured host and ports, until the block ends."""
    worker = Worker(config, "local")
    await worker.shadow.start()
    await worker.apply(table)
    await worker.grpc.start(f"{config.host}:{config.grpc_port}")
    await worker.http.listen_tcp(config.host, config.http_port)
    observing = asyncio.create_task(_observe(worker, config.watching.window_s))
    try:
        yield worker
    finally:
        observing.cancel()
        await worker.drain()


async def _observe(worker: Worker, window_s: float) -> None:
    while True:
        await asyncio.sleep(window_s)
        await asyncio.to_thread(worker.collect)  # nobody to send it to: it feeds /metrics


async def _serve(config: GatewayConfig, models: dict[str, Path]) -> None:
    async with running(config, table_of(models)) as worker:
        worker.settle()
        print(f"serving {', '.join(models)} on http://{config.host}:{config.http_port}")
        await asyncio.Event().wait()


def main() -> None:
    """Serve ONNX files named as NAME=FILE until interrupted."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("models", nargs="+", metavar="NAME=FILE.onnx")
    parser.add_argument("--home", type=Path, default=Path(".headrace"))
    parser.add_argument("--http-port", type=int, default=8000)
    parser.add_argument("--grpc-port", type=int, default=8001)
    options = parser.parse_args()
    models = {name: Path(path) for name, _, path in (item.partition("=") for item in options.models)}
    config = GatewayConfig(home=options.home, http_port=options.http_port, grpc_port=options.grpc_port)
    with contextlib.suppress(KeyboardInterrupt):
        uvloop.run(_serve(config, models))


if __name__ == "__main__":
    main()
