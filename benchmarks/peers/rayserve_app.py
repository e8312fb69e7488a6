"""Ray Serve with its fastest settings: HAProxy ingress, throughput mode, raw ASGI in each replica.

No FastAPI and no Starlette request stand between Serve and the model. Run it as a module; it serves until
SIGTERM. The settings are environment variables, read on import in every process of the cluster.
"""

import signal
import sys
import threading
from collections.abc import Awaitable, Callable
from typing import Any

import ray
from ray import serve
from ray.serve.config import gRPCOptions

from benchmarks.peers.inference import Inference

Receive = Callable[[], Awaitable[dict[str, Any]]]
Send = Callable[[dict[str, Any]], Awaitable[None]]

JSON = [(b"content-type", b"application/json")]
SERVICER = "tritonclient.grpc.service_pb2_grpc.add_GRPCInferenceServiceServicer_to_server"


class Bench:
    """One replica: answers every POST, and ModelInfer over gRPC."""

    def __init__(self) -> None:
        self._inference = Inference()

    def __serve_build_asgi_app__(self) -> Callable[[Any, Receive, Send], Awaitable[None]]:
        # A plain function: uvicorn, which runs the lifespan, takes a bound method for the older ASGI 2.
        async def application(scope: Any, receive: Receive, send: Send) -> None:
            await (_live(receive, send) if scope["type"] == "lifespan" else self._answer(receive, send))

        return application

    async def ModelInfer(self, request: Any) -> Any:
        return self._inference.protobuf(request)

    async def _answer(self, receive: Receive, send: Send) -> None:
        body, more = b"", True
        while more:
            event = await receive()
            body += event.get("body", b"")
            more = event.get("more_body", False)
        answer = self._inference.json(body)
        length = (b"content-length", str(len(answer)).encode())
        await send({"type": "http.response.start", "status": 200, "headers": [*JSON, length]})
        await send({"type": "http.response.body", "body": answer})


async def _live(receive: Receive, send: Send) -> None:
    while (await receive())["type"] == "lifespan.startup":
        await send({"type": "lifespan.startup.complete"})
    await send({"type": "lifespan.shutdown.complete"})


def main(http_port: int, grpc_port: int, folder: str) -> None:
    """Serve on two loopback ports, with Ray's files under `folder`, until SIGTERM."""
    stop = threading.Event()
    ray.init(
        num_cpus=2,
        include_dashboard=False,
        object_store_memory=100 * 2**20,
        log_to_driver=False,
        _node_ip_address="127.0.0.1",
        _temp_dir=folder,
    )
    signal.signal(signal.SIGTERM, lambda *_: stop.set())
    serve.start(
        http_options={"host": "127.0.0.1", "port": http_port},
        grpc_options=gRPCOptions(port=grpc_port, grpc_servicer_functions=[SERVICER]),
    )
    deployment = serve.deployment(
        num_replicas=2, max_ongoing_requests=1000, ray_actor_options={"num_cpus": 0}
    )(serve.ingress()(Bench))
    serve.run(deployment.bind(), name="bench", route_prefix="/")
    stop.wait()


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]), sys.argv[3])
