"""The model and the question that every system is asked, and the answer that counts as right."""

import importlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import grpc
import numpy as np
import onnxruntime as ort
import orjson
from numpy.typing import NDArray

MODEL = "bench"
GRPC_METHOD = "/inference.GRPCInferenceService/ModelInfer"
TOLERANCE = 1e-5
GRPC_START_S = 30


@dataclass(frozen=True, slots=True)
class Question:
    """One row of 30 FP32 features in both protocols, with ONNX Runtime's own probabilities, shape (1, 2)."""

    artifact: Path
    json_body: bytes
    grpc_message: bytes
    expected: NDArray[np.float32]

    @property
    def grpc_frame(self) -> bytes:
        """The message as it travels: uncompressed flag, 4-byte big-endian length, protobuf."""
        return b"\0" + len(self.grpc_message).to_bytes(4, "big") + self.grpc_message

    def check_json(self, answer: bytes) -> None:
        """Raises ValueError unless the answer holds the expected probabilities."""
        outputs = {output["name"]: output for output in orjson.loads(answer)["outputs"]}
        self._check(np.array(outputs["probabilities"]["data"], np.float32))

    def check_grpc(self, answer: bytes) -> None:
        """Raises ValueError unless the message holds the expected probabilities."""
        response = _service().ModelInferResponse.FromString(answer)
        names = [output.name for output in response.outputs]
        raw = response.raw_output_contents[names.index("probabilities")]
        self._check(np.frombuffer(raw, np.float32))

    def _check(self, probabilities: NDArray[np.float32]) -> None:
        if not np.allclose(probabilities.ravel(), self.expected.ravel(), atol=TOLERANCE):
            raise ValueError(f"wrong answer: {probabilities.ravel()} where {self.expected.ravel()} is right")


def ask(folder: Path) -> Question:
    """Train a logistic regression on scikit-learn's breast cancer data and write it as ONNX into `folder`."""
    linear_model, preprocessing = _untyped("sklearn.linear_model"), _untyped("sklearn.preprocessing")
    table = _untyped("sklearn.datasets").load_breast_cancer()
    features = table.data.astype(np.float32)
    classifier = _untyped("sklearn.pipeline").make_pipeline(
        preprocessing.StandardScaler(), linear_model.LogisticRegression(max_iter=1000)
    )
    classifier.fit(features, table.target)
    graph = _untyped("skl2onnx").to_onnx(classifier, features[:1], options={"zipmap": False}, target_opset=18)
    artifact = folder / "bench.onnx"
    artifact.write_bytes(graph.SerializeToString())

    row = features[7:8]
    session = ort.InferenceSession(str(artifact), ort.SessionOptions(), providers=["CPUExecutionProvider"])
    expected = np.asarray(session.run(["probabilities"], {"X": row})[0], np.float32)
    tensor = {"name": "X", "shape": [1, 30], "datatype": "FP32", "data": row.ravel().tolist()}
    return Question(artifact, orjson.dumps({"inputs": [tensor]}), _grpc_message(row), expected)


def one_grpc_answer(port: int, question: Question) -> bytes:
    """A checked answer, waited for while the server starts. Raises grpc.RpcError or ValueError."""
    with grpc.insecure_channel(f"127.0.0.1:{port}") as channel:
        call = channel.unary_unary(GRPC_METHOD, request_serializer=bytes, response_deserializer=bytes)
        answer = call(question.grpc_message, timeout=GRPC_START_S, wait_for_ready=True)
    question.check_grpc(answer)
    return answer


def _grpc_message(row: NDArray[np.float32]) -> bytes:
    request = _service().ModelInferRequest(model_name=MODEL, raw_input_contents=[row.tobytes()])
    request.inputs.add(name="X", datatype="FP32", shape=[1, 30])
    message: bytes = request.SerializeToString()
    return message


def _service() -> Any:
    """Triton's own messages: a client that does not share code with any system measured."""
    return _untyped("tritonclient.grpc.service_pb2")


def _untyped(module: str) -> Any:
    """A library that ships no types."""
    return importlib.import_module(module)
