"""A worker with real models in a process of its own: `gateway.local`, or behind HAProxy as `python -m` here.

Not a thread, because a process has room for one event loop of gRPC, and that one is the clients'.
"""

import asyncio
import contextlib
import http.client
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import onnx
from onnx import TensorProto, helper

from gateway.config import GatewayConfig
from gateway.local import table_of
from gateway.server.edge.process import Edge
from gateway.server.run_dir import grpc_socket, http_socket
from gateway.worker import Worker
from tests.graphs import serialised
from tests.ports import free_port

_DONE_S = 30
_ROOT = Path(__file__).resolve().parents[2]


class Address(NamedTuple):
    """Where a gateway listens, as `host:port`."""

    http: str
    grpc: str


def _model(name: str, nodes: list[onnx.NodeProto], *tensors: onnx.ValueInfoProto) -> bytes:
    """`tensors` are the inputs and, last, the only output."""
    graph = helper.make_graph(nodes, name, tensors[:-1], tensors[-1:])
    return serialised(graph)


def models() -> dict[str, bytes]:
    tensor = helper.make_tensor_value_info
    same = helper.make_node("Identity", ["x"], ["y"])
    total = [helper.make_node("Add", ["a", "b"], ["sum"])]
    pair = [tensor(name, TensorProto.FLOAT, ["n", 4]) for name in ("a", "b", "sum")]
    kinds: dict[str, tuple[int, list[str | int]]] = {
        "text": (TensorProto.STRING, ["n", 1]),
        "half": (TensorProto.FLOAT16, ["n", 2]),
        "brain": (TensorProto.BFLOAT16, ["n", 2]),
        "scalar": (TensorProto.DOUBLE, []),
        "loose": (TensorProto.INT64, ["n", "m", 2]),
        "fixed": (TensorProto.UINT8, [2, 3]),
    }
    state = [
        helper.make_node("Add", ["x", "state"], ["y"]),
        helper.make_node("Identity", ["y"], ["next_state"]),
    ]
    graph = helper.make_graph(
        state,
        "memory",
        [tensor(name, TensorProto.FLOAT, [1, 2]) for name in ("x", "state")],
        [tensor(name, TensorProto.FLOAT, [1, 2]) for name in ("y", "next_state")],
    )
    return {
        "pair": _model("pair", total, *pair),
        "memory": serialised(graph),
        **{
            name: _model(name, [same], tensor("x", kind, shape), tensor("y", kind, shape))
            for name, (kind, shape) in kinds.items()
        },
    }


@contextlib.contextmanager
def serving(module: str, home: Path, models: dict[str, Path]) -> Iterator[Address]:
    """Run `module` with these models on free ports until the block ends."""
    ports = free_port(), free_port()
    named = [f"{name}={path}" for name, path in models.items()]
    where = ["--home", str(home), "--http-port", str(ports[0]), "--grpc-port", str(ports[1])]
    with (home / "log").open("wb") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", module, *named, *where],
            cwd=_ROOT,
            env=os.environ | {"PYTHONUNBUFFERED": "1"},
            stdout=log,
            stderr=log,
        )
    try:
        deadline = time.monotonic() + _DONE_S
        while not _ready(ports[0]):
            failed = process.poll() is not None or time.monotonic() > deadline
            assert not failed, (home / "log").read_text()
            time.sleep(0.05)
        yield Address(f"127.0.0.1:{ports[0]}", f"127.0.0.1:{ports[1]}")
    finally:
        process.send_signal(signal.SIGINT)
        process.wait(_DONE_S)


def _ready(port: int) -> bool:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=1)
    try:
        connection.request("GET", "/v2/health/ready")
        return connection.getresponse().status == 200
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()


async def _behind_haproxy(config: GatewayConfig, models: dict[str, Path]) -> None:
    config.run_dir.mkdir(parents=True, exist_ok=True)
    worker, haproxy = Worker(config, "clients"), Edge(config)
    await worker.shadow.start()
    await worker.routes.apply(table_of(models))
    await worker.grpc.start(f"unix:{grpc_socket(config.run_dir, 0)}")
    await worker.http.listen_unix(http_socket(config.run_dir, 0))
    await haproxy.start()
    try:
        await asyncio.Event().wait()
    finally:
        await haproxy.stop()
        await worker.drain()
        shutil.rmtree(config.run_dir)


def main() -> None:
    """As `gateway.local`, with HAProxy in front."""
    named = [item.partition("=") for item in sys.argv[1:-6]]
    home, http_port, grpc_port = sys.argv[-5::2]
    config = GatewayConfig(
        home=Path(home),
        http_port=int(http_port),
        grpc_port=int(grpc_port),
        admin_port=free_port(),
        workers=1,
    )
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(_behind_haproxy(config, {name: Path(path) for name, _, path in named}))


if __name__ == "__main__":
    main()
