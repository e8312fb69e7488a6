"""Three kinds of client: plain HTTP with JSON, plain HTTP with binary tensors, and Triton's gRPC client.

Each raises on any answer that is not a well-formed one of the model.
"""

import http.client
import json
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import tritonclient.grpc as triton
from numpy.typing import NDArray

from lifecycle.demo.scanner import PIXELS

TIMEOUT_S = 10.0
CLASSES = 10


@dataclass(frozen=True, slots=True)
class Answer:
    """One checked answer. `finite` is False if a probability is NaN or infinite."""

    version: int
    prediction_id: str
    label: int
    finite: bool


class Caller(Protocol):
    name: str

    def infer(self, image: NDArray[np.float32]) -> Answer: ...

    def reconnect(self) -> None: ...

    def close(self) -> None: ...


class _HttpCaller:
    name = "HTTP"

    def __init__(self, address: str, model: str) -> None:
        self._address = address
        self._path = f"/v2/models/{model}/infer"
        self._connection = http.client.HTTPConnection(address, timeout=TIMEOUT_S)

    def reconnect(self) -> None:
        self._connection.close()
        self._connection = http.client.HTTPConnection(self._address, timeout=TIMEOUT_S)

    def close(self) -> None:
        self._connection.close()

    def _post(self, body: bytes, headers: dict[str, str]) -> tuple[http.client.HTTPResponse, bytes]:
        self._connection.request("POST", self._path, body, headers)
        response = self._connection.getresponse()
        data = response.read()
        if response.status != 200:
            raise ValueError(f"status {response.status}: {data[:200]!r}")
        return response, data


class HttpJsonCaller(_HttpCaller):
    """What curl would send."""

    name = "HTTP JSON"

    def infer(self, image: NDArray[np.float32]) -> Answer:
        tensor = {"name": "input", "shape": [1, PIXELS], "datatype": "FP32", "data": image.tolist()}
        body = json.dumps({"inputs": [tensor]}).encode()
        response, data = self._post(body, {"Content-Type": "application/json"})
        answer = json.loads(data)
        outputs = {output["name"]: output["data"] for output in answer["outputs"]}
        probabilities = [float("nan") if p is None else p for p in outputs["probabilities"]]
        prediction_id = response.headers["x-headrace-prediction-id"]
        return _checked(answer["model_version"], prediction_id, outputs["label"], probabilities)


class HttpBinaryCaller(_HttpCaller):
    """The V2 binary tensor extension, both ways."""

    name = "HTTP binary"

    def infer(self, image: NDArray[np.float32]) -> Answer:
        raw = image.tobytes()
        tensor = {
            "name": "input",
            "shape": [1, PIXELS],
            "datatype": "FP32",
            "parameters": {"binary_data_size": len(raw)},
        }
        header = json.dumps({"inputs": [tensor], "parameters": {"binary_data_output": True}}).encode()
        headers = {
            "Content-Type": "application/octet-stream",
            "Inference-Header-Content-Length": str(len(header)),
        }
        response, data = self._post(header + raw, headers)
        split = int(response.headers["Inference-Header-Content-Length"])
        answer, rest = json.loads(data[:split]), data[split:]
        outputs: dict[str, NDArray[np.generic]] = {}
        for output in answer["outputs"]:
            size = output["parameters"]["binary_data_size"]
            dtype = {"INT64": np.int64, "FP32": np.float32}[output["datatype"]]
            outputs[output["name"]] = np.frombuffer(rest[:size], dtype)
            rest = rest[size:]
        prediction_id = response.headers["x-headrace-prediction-id"]
        return _checked(
            answer["model_version"], prediction_id, outputs["label"], outputs["probabilities"].tolist()
        )


class GrpcCaller:
    """Triton's own Python client."""

    name = "gRPC"

    def __init__(self, address: str, model: str) -> None:
        self._address = address
        self._model = model
        self._client = triton.InferenceServerClient(address)

    def reconnect(self) -> None:
        """The channel reconnects by itself."""

    def close(self) -> None:
        self._client.close()

    def infer(self, image: NDArray[np.float32]) -> Answer:
        tensor = triton.InferInput("input", [1, PIXELS], "FP32")
        tensor.set_data_from_numpy(image.reshape(1, PIXELS))
        result = self._client.infer(self._model, [tensor], client_timeout=TIMEOUT_S)
        response = result.get_response()
        prediction_id = response.parameters["headrace_prediction_id"].string_param
        probabilities = result.as_numpy("probabilities")[0].tolist()
        return _checked(response.model_version, prediction_id, result.as_numpy("label"), probabilities)


def _checked(version: str, prediction_id: str, label: object, probabilities: list[float]) -> Answer:
    labels = np.asarray(label)
    if labels.shape != (1,) or not 0 <= int(labels[0]) < CLASSES or len(probabilities) != CLASSES:
        raise ValueError(f"a malformed answer: label {label!r}, {len(probabilities)} probabilities")
    if not prediction_id:
        raise ValueError("an answer without a prediction id")
    finite = bool(np.isfinite(probabilities).all())
    if finite and abs(sum(probabilities) - 1) > 1e-3:
        raise ValueError("probabilities do not sum to 1")
    return Answer(int(version), prediction_id, int(labels[0]), finite)
