"""A worker in a process of its own, in a slot behind somebody else's edge: to be killed.

Arguments: home, slot, the model's file. It says `ready` once its sockets are open.
"""

import asyncio
import sys
from pathlib import Path

from gateway.config import GatewayConfig
from gateway.server.run_dir import grpc_socket, http_socket
from gateway.worker import Worker
from tests.gateway.node import table_of


async def main(home: Path, slot: int, model: bytes) -> None:
    config = GatewayConfig(home=home)
    worker = Worker(config, f"w{slot}")
    await worker.shadow.start()
    await worker.routes.apply(table_of(home, {"slow": model}))
    await worker.grpc.start(f"unix:{grpc_socket(config.run_dir, slot)}")
    await worker.http.listen_unix(http_socket(config.run_dir, slot))
    print("ready", flush=True)
    await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1]), int(sys.argv[2]), Path(sys.argv[3]).read_bytes()))
