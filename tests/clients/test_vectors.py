"""Agreement with onnxruntime called directly, bit for bit, whichever way a request came."""

import http.client
from pathlib import Path

import grpc
import pytest

from gateway.core.signature import check
from gateway.core.types import InferResponse, Role
from gateway.protocols import proto_answer, v2_answer, v2_json, v2_proto
from gateway.runtime.session import Session
from tests.clients.served import Address, serving
from tests.clients.vectors import (
    REQUESTS,
    Sent,
    Tensors,
    Vector,
    agree,
    grpc_answer,
    http_answer,
    vectors,
)

pytestmark = pytest.mark.clients

_ENOUGH = 1000
_SAMPLE = 40


@pytest.fixture(scope="module")
def every() -> list[Vector]:
    found = list(vectors())
    assert len(found) > _ENOUGH
    return found


@pytest.mark.parametrize("way", REQUESTS)
def test_every_vector_through_codec_and_session(way: str, every: list[Vector]) -> None:
    fit = [vector for vector in every if _fits(way, vector)]
    assert len(fit) > _ENOUGH * 0.6
    assert [vector.name for vector in fit if not agree(_in_process(way, vector), vector.expected)] == []


def _fits(way: str, vector: Vector) -> bool:
    if way == "json":
        return vector.fits_json
    return way != "typed gRPC" or all(spec.datatype != "FP16" for spec in vector.signature.inputs)


def _in_process(way: str, vector: Vector) -> Tensors:
    sent = REQUESTS[way]("m", vector.inputs)
    if "gRPC" in way:
        asked, form = v2_proto.decode(v2_proto.parse(sent.body))
    else:
        asked, form = v2_json.decode(sent.body, "m", None, "", sent.json_length)
    check(asked.inputs, asked.outputs, vector.signature)
    outputs = Session(vector.model, vector.signature).run(asked.inputs, ())
    response = InferResponse("m", 1, Role.CHAMPION, outputs, "", "p")
    if "gRPC" in way:
        return grpc_answer(proto_answer.encode(response, form))
    return http_answer(*v2_answer.encode(response, form))


@pytest.mark.parametrize("module", ["gateway.local", "tests.clients.served"])
def test_a_sample_over_sockets(module: str, every: list[Vector], tmp_path: Path) -> None:
    sample = {vector.name: vector for vector in every[:: len(every) // _SAMPLE]}
    for name, vector in sample.items():
        (tmp_path / f"{name}.onnx").write_bytes(vector.model)
    with serving(module, tmp_path, {name: tmp_path / f"{name}.onnx" for name in sample}) as address:
        # Warming runs a model on ones and zeros, and a few of these nodes take neither: they are not served.
        served = {name: vector for name, vector in sample.items() if _ready(address, name)}
        assert len(served) > 0.8 * _SAMPLE
        wrong = [
            (name, way)
            for name, vector in served.items()
            for way, request in REQUESTS.items()
            if _fits(way, vector)
            and not agree(_exchanged(address, name, way, request(name, vector.inputs)), vector.expected)
        ]
    assert wrong == []


def _ready(address: Address, model: str) -> bool:
    connection = http.client.HTTPConnection(address.http, timeout=30)
    connection.request("GET", f"/v2/models/{model}/ready")
    status = connection.getresponse().status
    connection.close()
    return status == 200


def _exchanged(address: Address, model: str, way: str, sent: Sent) -> Tensors:
    if "gRPC" in way:
        with grpc.insecure_channel(address.grpc) as channel:
            call: grpc.UnaryUnaryMultiCallable[bytes, bytes] = channel.unary_unary(
                "/inference.GRPCInferenceService/ModelInfer"
            )
            return grpc_answer(call(sent.body, timeout=30))
    headers = {"content-type": "application/json"}
    if sent.json_length is not None:
        headers["inference-header-content-length"] = str(sent.json_length)
    connection = http.client.HTTPConnection(address.http, timeout=30)
    connection.request("POST", f"/v2/models/{model}/infer", sent.body, headers)
    answer = connection.getresponse()
    body, length = answer.read(), answer.getheader("inference-header-content-length")
    connection.close()
    assert answer.status == 200, body
    return http_answer(body, None if length is None else int(length))
