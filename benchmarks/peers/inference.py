"""What every peer does with a request: parse, run, answer, in the V2 shapes. The peers differ around it only.

Parsed and answered with orjson, and run where it is called: for a model of microseconds a thread, or a
validated request model, only adds cost.
"""

import importlib
import os
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime as ort
import orjson

HEADER_LENGTH = "inference-header-content-length"


def artifacts() -> dict[str, Path]:
    """The models to serve: every artifact in the folder that BENCH_MODELS names, by its stem."""
    return {path.stem: path for path in sorted(Path(os.environ["BENCH_MODELS"]).glob("*.onnx"))}


def messages() -> Any:
    """Triton's generated protobuf messages, which ship no types."""
    return importlib.import_module("tritonclient.grpc.service_pb2")


class Inference:
    """One model in memory."""

    def __init__(self, model: str) -> None:
        options = ort.SessionOptions()
        # One thread and no arena: the fastest setting for a row of a small model.
        options.intra_op_num_threads = 1
        options.inter_op_num_threads = 1
        options.enable_cpu_mem_arena = False
        artifact = str(artifacts()[model])
        self._model = model
        self._session = ort.InferenceSession(artifact, options, providers=["CPUExecutionProvider"])
        types = {"tensor(float)": "FP32", "tensor(int64)": "INT64"}
        self.outputs = [(output.name, types[output.type]) for output in self._session.get_outputs()]
        self._names = [name for name, _ in self.outputs]

    def run(self, inputs: dict[str, Any]) -> list[Any]:
        """The arrays of all outputs, in the model's order."""
        answers: list[Any] = self._session.run(self._names, inputs)
        return answers

    def answer(self, request: Any) -> dict[str, Any]:
        """The V2 object, its data still arrays, for a V2 object with JSON data."""
        inputs = {
            tensor["name"]: np.array(tensor["data"], np.float32).reshape(tensor["shape"])
            for tensor in request["inputs"]
        }
        return self._told(
            {"name": name, "shape": array.shape, "datatype": datatype, "data": array.ravel()}
            for (name, datatype), array in zip(self.outputs, self.run(inputs), strict=True)
        )

    def json(self, body: bytes) -> bytes:
        """The answer to a JSON body."""
        return orjson.dumps(self.answer(orjson.loads(body)), option=orjson.OPT_SERIALIZE_NUMPY)

    def binary(self, body: bytes, head_bytes: int) -> tuple[bytes, int]:
        """The answer to a body of JSON and raw tensors, and how long its own JSON is."""
        inputs, start = {}, head_bytes
        for tensor in orjson.loads(body[:head_bytes])["inputs"]:
            size = tensor["parameters"]["binary_data_size"]
            inputs[tensor["name"]] = np.frombuffer(body, np.float32, size // 4, start).reshape(
                tensor["shape"]
            )
            start += size
        answers = self.run(inputs)
        head = orjson.dumps(
            self._told(
                {
                    "name": name,
                    "shape": array.shape,
                    "datatype": datatype,
                    "parameters": {"binary_data_size": array.nbytes},
                }
                for (name, datatype), array in zip(self.outputs, answers, strict=True)
            )
        )
        return b"".join([head, *(array.tobytes() for array in answers)]), len(head)

    def protobuf(self, request: Any) -> Any:
        """The ModelInferResponse to a ModelInferRequest with raw contents."""
        inputs = {
            tensor.name: np.frombuffer(raw, np.float32).reshape(tensor.shape)
            for tensor, raw in zip(request.inputs, request.raw_input_contents, strict=True)
        }
        answers = self.run(inputs)
        response = messages().ModelInferResponse(
            model_name=self._model,
            model_version="1",
            raw_output_contents=[array.tobytes() for array in answers],
        )
        for (name, datatype), array in zip(self.outputs, answers, strict=True):
            response.outputs.add(name=name, datatype=datatype, shape=array.shape)
        return response

    def _told(self, outputs: Any) -> dict[str, Any]:
        return {"model_name": self._model, "model_version": "1", "outputs": list(outputs)}


def load() -> dict[str, Inference]:
    """All models, by name."""
    return {model: Inference(model) for model in artifacts()}
