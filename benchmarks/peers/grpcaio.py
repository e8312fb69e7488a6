"""grpc.aio with ONNX Runtime inside, two processes on one port: the plain gRPC server. Run it as a module."""

import asyncio
import multiprocessing
import sys
from typing import Any

import grpc
import uvloop

from benchmarks.peers.inference import load, messages


async def serve(port: int) -> None:
    """Serve on loopback `port`, shared with the other process, until ended."""
    models, service = load(), messages()

    async def infer(request: Any, _context: object) -> Any:
        return models[request.model_name].protobuf(request)

    handler = grpc.unary_unary_rpc_method_handler(
        infer,
        request_deserializer=service.ModelInferRequest.FromString,
        response_serializer=service.ModelInferResponse.SerializeToString,
    )
    server = grpc.aio.server(options=[("grpc.so_reuseport", 1), ("grpc.max_receive_message_length", -1)])
    server.add_generic_rpc_handlers(
        (grpc.method_handlers_generic_handler("inference.GRPCInferenceService", {"ModelInfer": handler}),)
    )
    server.add_insecure_port(f"127.0.0.1:{port}")
    await server.start()
    await server.wait_for_termination()


def main(port: int) -> None:
    """One process: its own loop, its own session."""
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(serve(port))


if __name__ == "__main__":
    # gRPC's C core does not survive a fork, so the second process is started anew.
    grpc_port = int(sys.argv[2])
    twin = multiprocessing.get_context("spawn").Process(target=main, args=(grpc_port,), daemon=True)
    twin.start()
    main(grpc_port)
