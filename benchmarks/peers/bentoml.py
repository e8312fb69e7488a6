"""BentoML with ONNX Runtime inside, an endpoint for each model. Run it as a module."""

import os
import sys
from pathlib import Path
from typing import Any

import bentoml

from benchmarks.peers.inference import load


@bentoml.service(
    workers=2,
    metrics={"enabled": False},
    logging={"access": {"enabled": False}},
    traffic={"timeout": 60},
)
class Served:
    """One worker process. Declared asynchronous: its threads would cost more than the model."""

    def __init__(self) -> None:
        self._models = load()

    @bentoml.api(route="/v2/models/logistic/infer")
    async def logistic(self, inputs: list[dict[str, Any]]) -> dict[str, Any]:
        return self._answer("logistic", inputs)

    @bentoml.api(route="/v2/models/image/infer")
    async def image(self, inputs: list[dict[str, Any]]) -> dict[str, Any]:
        return self._answer("image", inputs)

    def _answer(self, model: str, inputs: list[dict[str, Any]]) -> dict[str, Any]:
        answer = self._models[model].answer({"inputs": inputs})
        for output in answer["outputs"]:
            output["data"] = output["data"].tolist()  # it encodes no arrays inside an object
        return answer


if __name__ == "__main__":
    program = str(Path(sys.executable).with_name("bentoml"))
    place = ["--host", "127.0.0.1", "--port", sys.argv[1]]
    os.execv(program, [program, "serve", "benchmarks.peers.bentoml:Served", *place])
