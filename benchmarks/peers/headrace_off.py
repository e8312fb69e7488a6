"""Headrace with everything off but serving: what its tap, metrics, routing and control loop cost.

The same edge, listeners, codecs and sessions, wired by hand; no table is asked, nothing is recorded, and
neither Ray nor a controller runs beside it. Not a product: no version could be swapped. Run it as a module.
"""

import asyncio
import contextlib
import multiprocessing
import shutil
import signal
import sys
from pathlib import Path

import uvloop

from benchmarks.load.processes import free_port
from benchmarks.peers.inference import artifacts
from gateway.config import GatewayConfig
from gateway.core.signature import check
from gateway.core.types import InferRequest, InferResponse, Role
from gateway.local import table_of
from gateway.ports import LoadedVersion, MeterKey
from gateway.server.edge.process import Edge
from gateway.server.express.express import Express
from gateway.server.express.meter import Meter
from gateway.server.grpc.server import GrpcServer
from gateway.server.http.listener import HttpListener
from gateway.server.run_dir import grpc_socket, http_socket
from gateway.server.service import Service
from gateway.telemetry.request_log import RequestLog
from gateway.worker import Worker

NO_ID = "none-000000000"
"""As long as the prediction ids that the express lane puts in its place."""


class Unwatched:
    """Runs the one version that there is."""

    def __init__(self, worker: Worker) -> None:
        self.routes = worker.routes
        self._only: dict[str, LoadedVersion] = {}
        for model in worker.routes.table.models:
            version = worker.routes.loaded(model, 1)
            assert version is not None
            self._only[model] = version

    def check_room(self, model: str) -> None:
        """There are no limits."""

    async def infer(self, request: InferRequest) -> InferResponse:
        version = self._only[request.model]
        check(request.inputs, request.outputs, version.signature)
        outputs = await version.run(request.inputs, request.outputs, request.deadline_ns)
        return InferResponse(request.model, 1, Role.CHAMPION, outputs, request.id, NO_ID)


class Unkept(dict[MeterKey, Meter]):
    """Meters that have nothing kept of what they count."""

    def __setitem__(self, key: MeterKey, meter: Meter) -> None:
        meter.share = 0.0
        super().__setitem__(key, meter)


async def work(config: GatewayConfig, slot: int) -> None:
    """One worker process, until ended."""
    worker = Worker(config, f"worker-{slot}")
    await worker.apply(table_of(artifacts()))
    engine = Unwatched(worker)
    service = Service(engine, config.limits)
    service.express = Express(
        worker.routes,
        worker.pipeline.draws_of,
        Unkept(),
        lambda *_: None,
        RequestLog(config.logging),
        service.pressure,
        None,
        ids=NO_ID[:-9],
        seed=slot,
        most=sys.maxsize,
    )
    http, grpc = HttpListener(service), GrpcServer(service)
    await grpc.start(f"unix:{grpc_socket(config.run_dir, slot)}")
    await http.listen_unix(http_socket(config.run_dir, slot))
    worker.settle()
    await asyncio.Event().wait()


def start(config: GatewayConfig, slot: int) -> None:
    """The main function of a worker process."""
    uvloop.run(work(config, slot))


async def serve(config: GatewayConfig) -> None:
    """The edge, until SIGTERM."""
    stopped = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stopped.set)
    edge = Edge(config)
    await edge.start()
    await stopped.wait()
    await edge.stop()


def main(http_port: int, grpc_port: int, folder: Path) -> None:
    """Two workers behind the edge."""
    config = GatewayConfig(home=folder, http_port=http_port, grpc_port=grpc_port, admin_port=free_port())
    config.run_dir.mkdir(mode=0o700)
    context = multiprocessing.get_context("spawn")
    workers = [context.Process(target=start, args=(config, slot), daemon=True) for slot in range(2)]
    with contextlib.ExitStack() as stack:
        stack.callback(shutil.rmtree, config.run_dir, ignore_errors=True)
        for worker in workers:
            worker.start()
        asyncio.run(serve(config))


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]), Path(sys.argv[3]))
