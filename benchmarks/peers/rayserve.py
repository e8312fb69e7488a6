"""Ray Serve with ONNX Runtime inside, in the two ways people use it. Run it as a module, until SIGTERM.

`request` is a replica as the documentation has it. `asgi` is the fastest: no FastAPI and no Starlette request
stand between Serve and the model. Serve's flags are environment variables, read on import in every process of
the cluster.
"""

import signal
import sys
import threading
from collections.abc import Awaitable, Callable
from typing import Any

import ray
from ray import serve
from ray.serve.config import gRPCOptions
from starlette.requests import Request
from starlette.responses import Response

from benchmarks.peers.inference import HEADER_LENGTH, load

Receive = Callable[[], Awaitable[dict[str, Any]]]
Send = Callable[[dict[str, Any]], Awaitable[None]]

SERVICER = "tritonclient.grpc.service_pb2_grpc.add_GRPCInferenceServiceServicer_to_server"
JSON, BINARY = "application/json", "application/octet-stream"


class Served:
    """One replica: every model, over HTTP and gRPC."""

    def __init__(self) -> None:
        self._models = load()

    def answer(self, path: str, body: bytes, head_bytes: bytes | str | None) -> tuple[bytes, dict[str, str]]:
        """Body and headers of the answer to a body at /v2/models/MODEL/infer."""
        model = self._models[path.split("/")[3]]
        if head_bytes is None:
            return model.json(body), {"content-type": JSON}
        answer, length = model.binary(body, int(head_bytes))
        return answer, {"content-type": BINARY, HEADER_LENGTH: str(length)}

    async def ModelInfer(self, request: Any) -> Any:
        return self._models[request.model_name].protobuf(request)


class ByRequest(Served):
    """Serve hands over a Starlette request."""

    async def __call__(self, request: Request) -> Response:
        answer, headers = self.answer(
            request.url.path, await request.body(), request.headers.get(HEADER_LENGTH)
        )
        return Response(answer, headers=headers)


class ByAsgi(Served):
    """Serve hands over the ASGI call itself."""

    def __serve_build_asgi_app__(self) -> Callable[[Any, Receive, Send], Awaitable[None]]:
        # A plain function: uvicorn, which runs the lifespan, takes a bound method for the older ASGI 2.
        async def application(scope: Any, receive: Receive, send: Send) -> None:
            await (_live(receive, send) if scope["type"] == "lifespan" else self._asgi(scope, receive, send))

        return application

    async def _asgi(self, scope: Any, receive: Receive, send: Send) -> None:
        parts, more = [], True
        while more:
            event = await receive()
            parts.append(event.get("body", b""))
            more = event.get("more_body", False)
        head_bytes = dict(scope["headers"]).get(HEADER_LENGTH.encode())
        answer, told = self.answer(scope["path"], b"".join(parts), head_bytes)
        told["content-length"] = str(len(answer))
        headers = [(name.encode(), value.encode()) for name, value in told.items()]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": answer})


async def _live(receive: Receive, send: Send) -> None:
    while (await receive())["type"] == "lifespan.startup":
        await send({"type": "lifespan.startup.complete"})
    await send({"type": "lifespan.shutdown.complete"})


def main(http_port: int, grpc_port: int, folder: str, way: str) -> None:
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
    )(serve.ingress()(ByAsgi) if way == "asgi" else ByRequest)
    serve.run(deployment.bind(), name="bench", route_prefix="/")
    stop.wait()


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]), sys.argv[3], sys.argv[4])
