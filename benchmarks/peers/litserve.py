"""LitServe with ONNX Runtime inside, an endpoint for each model. Run it as a module."""

import sys
from typing import Any

import orjson
from fastapi import Request, Response
from litserve import LitAPI, LitServer

from benchmarks.peers.inference import Inference, artifacts


class Served(LitAPI):
    """One model. Answers leave as bytes of orjson, which skips FastAPI's own encoding."""

    def __init__(self, model: str) -> None:
        super().__init__(api_path=f"/v2/models/{model}/infer")
        self._model = model

    def setup(self, device: str) -> None:
        self._inference = Inference(self._model)

    def decode_request(self, request: Request) -> Any:
        return request  # the object that was in its JSON

    def predict(self, x: Any) -> Any:
        return self._inference.answer(x)

    def encode_response(self, output: Any) -> Response:
        body = orjson.dumps(output, option=orjson.OPT_SERIALIZE_NUMPY)
        return Response(body, media_type="application/json")


if __name__ == "__main__":
    server = LitServer([Served(model) for model in artifacts()], accelerator="cpu", workers_per_device=2)
    server.run(
        "127.0.0.1", int(sys.argv[1]), num_api_servers=2, log_level="error", generate_client_file=False
    )
