import contextlib
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.core.types import DATATYPES, Array, InferResponse, Role
from gateway.errors import ErrorCode, GatewayError
from gateway.protocols import open_inference_pb2 as pb
from gateway.protocols.proto_answer import encode
from gateway.protocols.v2_proto import decode, parse
from tests.gateway.protocols.drawn import tensors

FIELDS = {
    "BOOL": "bool_contents",
    "INT8": "int_contents",
    "INT32": "int_contents",
    "INT64": "int64_contents",
    "UINT8": "uint_contents",
    "UINT64": "uint64_contents",
    "FP32": "fp32_contents",
    "FP64": "fp64_contents",
}


def request(datatype: str = "FP32", shape: tuple[int, ...] = (2,), **contents: Any) -> pb.ModelInferRequest:
    message = pb.ModelInferRequest(model_name="m")
    message.inputs.add(name="x", datatype=datatype, shape=shape, contents=pb.InferTensorContents(**contents))
    return message


@given(tensors())
def test_an_answer_reads_back_as_a_request(array: Array) -> None:
    encoded = encode(InferResponse("m", 2, Role.CANARY, {"x": array}, "7", "p-1"))
    answer = pb.ModelInferResponse.FromString(encoded)
    assert (answer.model_name, answer.model_version, answer.id) == ("m", "2", "7")
    message = pb.ModelInferRequest(model_name="m", raw_input_contents=answer.raw_output_contents)
    message.inputs.add(name="x", datatype=answer.outputs[0].datatype, shape=answer.outputs[0].shape)
    again, _ = decode(parse(message.SerializeToString()))
    assert (again.inputs["x"].dtype, again.inputs["x"].shape) == (array.dtype, array.shape)
    assert again.inputs["x"].tobytes() == array.tobytes()  # NaN too, bit for bit


@pytest.mark.parametrize("datatype", FIELDS)
def test_typed_contents(datatype: str) -> None:
    decoded, _ = decode(request(datatype, (2,), **{FIELDS[datatype]: [0, 1]}))
    assert DATATYPES[decoded.inputs["x"].dtype] == datatype
    assert decoded.inputs["x"].tolist() == [0, 1]


def test_typed_text() -> None:
    assert decode(request("BYTES", bytes_contents=[b"\xff", b""]))[0].inputs["x"].tolist() == [b"\xff", b""]


def test_what_a_request_holds() -> None:
    message = request(fp32_contents=[1, 2])
    message.model_version, message.id = "3", "7"
    message.parameters["routing_key"].string_param = "alice"
    message.outputs.add(name="y").parameters["classification"].int64_param = 2
    decoded, form = decode(message, "metadata")
    assert (decoded.version, decoded.id, decoded.key, decoded.outputs) == (3, "7", "alice", ("y",))
    assert (form.of("y").classes, decoded.protocol) == (2, "grpc")


def broken(change: str) -> pb.ModelInferRequest:
    message = request(fp32_contents=[1, 2])
    match change:
        case "both contents":
            message.raw_input_contents.append(b"\0" * 8)
        case "raw count":
            message.inputs[0].ClearField("contents")
            message.raw_input_contents.extend([b"\0" * 8] * 2)
        case "raw size":
            message.inputs[0].ClearField("contents")
            message.raw_input_contents.append(b"\0" * 7)
        case "wrong field":
            message = request(fp64_contents=[1, 2])
        case "two fields":
            message = request(fp32_contents=[1, 2], fp64_contents=[1, 2])
        case "count":
            message = request(fp32_contents=[1])
        case "none":
            message = request()
        case "range":
            message = request("INT8", int_contents=[1, 300])
        case "fp16 typed":
            message = request("FP16", fp32_contents=[1, 2])
        case "bf16":
            message = request("BF16", fp32_contents=[1, 2])
        case "negative shape":
            message = request(shape=(-1,), fp32_contents=[1])
        case "twice":
            message.inputs.append(message.inputs[0])
        case "output twice":
            message.outputs.extend([pb.ModelInferRequest.InferRequestedOutputTensor(name="y")] * 2)
        case "nameless":
            message.inputs[0].name = ""
        case "model name":
            message.model_name = "a/b"
        case "version":
            message.model_version = "-1"
        case "id":
            message.id = "a\nb"
        case "shared memory":
            message.inputs[0].parameters["shared_memory_region"].string_param = "r"
        case "sequence":
            message.parameters["sequence_id"].int64_param = 1
        case "key":
            message.parameters["routing_key"].int64_param = 1
    return message


@pytest.mark.parametrize(
    "change",
    [
        *("both contents", "raw count", "raw size", "wrong field", "two fields", "count", "none", "range"),
        *("fp16 typed", "bf16", "negative shape", "twice", "output twice", "nameless", "model name"),
        *("version", "id", "shared memory", "sequence", "key"),
    ],
)
def test_faults_are_invalid(change: str) -> None:
    with pytest.raises(GatewayError) as caught:
        decode(broken(change))
    assert caught.value.code is ErrorCode.INVALID


@given(st.binary(max_size=100))
def test_any_bytes_are_decoded_or_invalid(data: bytes) -> None:
    with contextlib.suppress(GatewayError):
        assert decode(parse(data))[0].model
