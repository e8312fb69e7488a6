"""FastAPI and uvicorn with ONNX Runtime inside: what a careful team writes by hand. Run it as a module."""

import sys

import uvicorn
from fastapi import FastAPI, Request, Response

from benchmarks.peers.inference import HEADER_LENGTH, load


def create() -> FastAPI:
    """The application of one worker process."""
    app = FastAPI(openapi_url=None)
    models = load()

    @app.post("/v2/models/{model}/infer")
    async def infer(model: str, request: Request) -> Response:
        body = await request.body()
        head_bytes = request.headers.get(HEADER_LENGTH)
        if head_bytes is None:
            return Response(models[model].json(body), media_type="application/json")
        answer, length = models[model].binary(body, int(head_bytes))
        return Response(answer, headers={HEADER_LENGTH: str(length)}, media_type="application/octet-stream")

    return app


if __name__ == "__main__":
    uvicorn.run(
        "benchmarks.peers.fastapi:create",
        factory=True,
        host="127.0.0.1",
        port=int(sys.argv[1]),
        workers=2,
        loop="uvloop",
        http="httptools",
        access_log=False,
        log_level="warning",
    )
