"""Bodies of requests for a model that takes `x`."""

import json
from typing import Any

import numpy as np

from gateway.protocols import open_inference_pb2 as pb
from gateway.protocols.grpc_frame import prefix
from gateway.server.http.grpc_lane import INFER
from tests.gateway.server.express.line import post

ROW = np.linspace(-2, 2, 30, dtype=np.float32).reshape(1, 30)


def rows(values: Any) -> bytes:
    array = np.asarray(values, np.float32)
    tensor = {"name": "x", "shape": list(array.shape), "datatype": "FP32", "data": array.ravel().tolist()}
    return json.dumps({"inputs": [tensor]}).encode()


def nested(values: Any) -> bytes:
    array = np.asarray(values, np.float32)
    tensor = {"name": "x", "shape": list(array.shape), "datatype": "FP32", "data": array.tolist()}
    return json.dumps({"inputs": [tensor]}).encode()


def binary(values: Any) -> tuple[bytes, str]:
    array = np.asarray(values, np.float32)
    size = {"binary_data_size": array.nbytes}
    tensor = {"name": "x", "shape": list(array.shape), "datatype": "FP32", "parameters": size}
    text = json.dumps({"inputs": [tensor], "parameters": {"binary_data_output": True}}).encode()
    return text + array.tobytes(), f"inference-header-content-length: {len(text)}"


def call(model: str, values: Any) -> bytes:
    array = np.asarray(values, np.float32)
    message = pb.ModelInferRequest(model_name=model, raw_input_contents=[array.tobytes()])
    message.inputs.add(name="x", datatype="FP32", shape=array.shape)
    data = message.SerializeToString()
    return post(INFER.decode(), prefix(len(data)) + data, "content-type: application/grpc")


BODY = rows(ROW)
