"""KServe's model server with ONNX Runtime inside. Run it as a module."""

import sys
from functools import cached_property
from typing import Any

from kserve import InferOutput, InferRequest, InferResponse, Model, ModelServer

from benchmarks.peers.inference import Inference, artifacts


class Served(Model):
    """One model. Binary in, binary out; JSON in, JSON out."""

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self.ready = True

    @cached_property
    def _inference(self) -> Inference:
        # Not sooner: the model itself is sent to the worker processes.
        return Inference(self.name)

    async def predict(self, payload: InferRequest, *_: Any, **__: Any) -> InferResponse:
        answers = self._inference.run({tensor.name: tensor.as_numpy() for tensor in payload.inputs})
        raw = bool(payload.from_grpc or payload.request_outputs)
        outputs = []
        for (name, datatype), array in zip(self._inference.outputs, answers, strict=True):
            output = InferOutput(name, list(array.shape), datatype)
            output.set_data_from_numpy(array, binary_data=raw)
            outputs.append(output)
        return InferResponse(
            payload.id or "",
            self.name,
            outputs,
            model_version="1",
            use_binary_outputs=payload.use_binary_outputs,
            requested_outputs=payload.request_outputs,
        )


if __name__ == "__main__":
    ModelServer(
        http_port=int(sys.argv[1]),
        grpc_port=int(sys.argv[2]),
        workers=2,
        enable_latency_logging=False,
        grace_period=1,
    ).start([Served(model) for model in artifacts()])
