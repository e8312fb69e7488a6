"""What every peer does with a request: parse, run, answer, in the V2 shapes. The peers differ around it only.

Parsed and answered with orjson, and run where it is called: for a model of microseconds a thread, or a
validated request model, only adds cost.
"""

import importlib
import os
from typing import Any

import numpy as np
import onnxruntime as ort
import orjson

DTYPES = {"tensor(float)": "FP32", "tensor(int64)": "INT64"}


def messages() -> Any:
    """Triton's generated protobuf messages, which ship no types."""
    return importlib.import_module("tritonclient.grpc.service_pb2")


class Inference:
    """The artifact named by BENCH_ARTIFACT, in memory."""

    def __init__(self) -> None:
        options = ort.SessionOptions()
        # One thread and no arena: the fastest setting for a row of a small model.
        options.intra_op_num_threads = 1
        options.inter_op_num_threads = 1
        options.enable_cpu_mem_arena = False
        artifact = os.environ["BENCH_ARTIFACT"]
        self._session = ort.InferenceSession(artifact, options, providers=["CPUExecutionProvider"])
        self._outputs = [(output.name, DTYPES[output.type]) for output in self._session.get_outputs()]
        self._names = [name for name, _ in self._outputs]
        self._messages = messages()

    def json(self, body: bytes) -> bytes:
        """The answer to a JSON body."""
        inputs = {
            tensor["name"]: np.array(tensor["data"], np.float32).reshape(tensor["shape"])
            for tensor in orjson.loads(body)["inputs"]
        }
        answers = self._session.run(self._names, inputs)
        return orjson.dumps(
            {
                "model_name": "bench",
                "model_version": "1",
                "outputs": [
                    {"name": name, "shape": array.shape, "datatype": datatype, "data": array.ravel()}
                    for (name, datatype), array in zip(self._outputs, answers, strict=True)
                ],
            },
            option=orjson.OPT_SERIALIZE_NUMPY,
        )

    def protobuf(self, request: Any) -> Any:
        """The ModelInferResponse to a ModelInferRequest with raw contents."""
        inputs = {
            tensor.name: np.frombuffer(raw, np.float32).reshape(tensor.shape)
            for tensor, raw in zip(request.inputs, request.raw_input_contents, strict=True)
        }
        answers = self._session.run(self._names, inputs)
        response = self._messages.ModelInferResponse(
            model_name="bench",
            model_version="1",
            raw_output_contents=[array.tobytes() for array in answers],
        )
        for (name, datatype), array in zip(self._outputs, answers, strict=True):
            response.outputs.add(name=name, datatype=datatype, shape=array.shape)
        return response
