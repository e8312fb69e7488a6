"""What every system is asked, in each protocol's bytes, and the answer that counts as right."""

import importlib
import struct
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, get_args

import numpy as np
import onnxruntime as ort
import orjson
from numpy.typing import NDArray

from benchmarks.load import models
from benchmarks.load.cases import Protocol

GRPC_METHOD = "/inference.GRPCInferenceService/ModelInfer"
HEADER_LENGTH = "inference-header-content-length"
TOLERANCE = 1e-5
MAKERS: Mapping[str, Callable[[Path], NDArray[np.float32]]] = {
    "logistic": models.logistic,
    "identity": models.identity,
    "image": models.image,
}


@dataclass(frozen=True, slots=True)
class Question:
    """One FP32 tensor for one model, and the output that ONNX Runtime itself gives for it."""

    model: str
    artifact: Path
    input: str
    sent: NDArray[np.float32]
    output: str
    expected: NDArray[np.float32]

    @property
    def path(self) -> str:
        return f"/v2/models/{self.model}/infer"

    def ask(self, protocol: Protocol) -> tuple[bytes, dict[str, str]]:
        """The body of an HTTP request and its headers; for gRPC the message, and none."""
        tensor: dict[str, Any] = {"name": self.input, "shape": self.sent.shape, "datatype": "FP32"}
        if protocol == "json":
            body = {"inputs": [{**tensor, "data": self.sent.ravel()}]}
            return orjson.dumps(body, option=orjson.OPT_SERIALIZE_NUMPY), {"content-type": "application/json"}
        if protocol == "binary":
            raw = self.sent.tobytes()
            tensor["parameters"] = {"binary_data_size": len(raw)}
            wanted = {"name": self.output, "parameters": {"binary_data": True}}
            head = orjson.dumps({"inputs": [tensor], "outputs": [wanted]})
            return head + raw, {
                "content-type": "application/octet-stream",
                HEADER_LENGTH: str(len(head)),
            }
        request = _messages().ModelInferRequest(
            model_name=self.model, raw_input_contents=[self.sent.tobytes()]
        )
        request.inputs.add(**tensor)
        message: bytes = request.SerializeToString()
        return message, {}

    def check(self, protocol: Protocol, answer: bytes, headers: Mapping[str, str]) -> None:
        """Raises ValueError unless the answer holds the expected output."""
        read = {"json": _read_json, "binary": _read_binary, "grpc": _read_grpc}[protocol]
        seen = read(self.output, answer, headers)
        if not np.allclose(seen, self.expected.ravel(), atol=TOLERANCE):
            raise ValueError(f"wrong answer: {seen[:4]} where {self.expected.ravel()[:4]} is right")


def make(model: str, folder: Path) -> Question:
    """Write MODEL.onnx into `folder`, and what it is asked: MODEL.json, MODEL.binary, MODEL.grpc."""
    artifact = folder / f"{model}.onnx"
    sent = MAKERS[model](artifact)
    session = ort.InferenceSession(str(artifact), ort.SessionOptions(), providers=["CPUExecutionProvider"])
    taken, given = session.get_inputs()[0].name, session.get_outputs()[-1].name
    expected = np.asarray(session.run([given], {taken: sent})[0], np.float32)
    question = Question(model, artifact, taken, sent, given, expected)
    for protocol in get_args(Protocol):
        (folder / f"{model}.{protocol}").write_bytes(question.ask(protocol)[0])
    return question


def grpc_frame(message: bytes) -> bytes:
    """The message as it travels: uncompressed flag, 4-byte big-endian length, protobuf."""
    return struct.pack(">BI", 0, len(message)) + message


def _read_json(output: str, answer: bytes, _: Mapping[str, str]) -> NDArray[np.float32]:
    outputs = {tensor["name"]: tensor for tensor in orjson.loads(answer)["outputs"]}
    return np.array(outputs[output]["data"], np.float32).ravel()


def _read_binary(output: str, answer: bytes, headers: Mapping[str, str]) -> NDArray[np.float32]:
    start = int(headers[HEADER_LENGTH])
    for tensor in orjson.loads(answer[:start])["outputs"]:
        size = tensor["parameters"]["binary_data_size"]
        if tensor["name"] == output:
            return np.frombuffer(answer[start : start + size], np.float32)
        start += size
    raise ValueError(f"the answer has no output {output}")


def _read_grpc(output: str, answer: bytes, _: Mapping[str, str]) -> NDArray[np.float32]:
    response = _messages().ModelInferResponse.FromString(answer)
    index = [tensor.name for tensor in response.outputs].index(output)
    if not response.raw_output_contents:
        return np.array(response.outputs[index].contents.fp32_contents, np.float32)
    return np.frombuffer(response.raw_output_contents[index], np.float32)


def _messages() -> Any:
    """Triton's own messages: a client that does not share code with any system measured."""
    return importlib.import_module("tritonclient.grpc.service_pb2")
