"""FastAPI and uvicorn with ONNX Runtime inside: what a careful team writes by hand. Run it as a module."""

import sys

import uvicorn
from fastapi import FastAPI, Request, Response

from benchmarks.peers.inference import Inference


def create() -> FastAPI:
    """The application of one worker process."""
    app = FastAPI(openapi_url=None)
    inference = Inference()

    @app.post("/v2/models/bench/infer")
    async def infer(request: Request) -> Response:
        return Response(inference.json(await request.body()), media_type="application/json")

    return app


if __name__ == "__main__":
    uvicorn.run(
        "benchmarks.peers.fastapi_server:create",
        factory=True,
        host="127.0.0.1",
        port=int(sys.argv[1]),
        workers=2,
        loop="uvloop",
        http="httptools",
        access_log=False,
        log_level="warning",
    )
