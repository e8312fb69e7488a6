"""One question in every way it can be asked, and what each way tells of the answer."""

import http.client
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import grpc
import orjson

from gateway.core.types import NUMPY_DTYPES, Array
from gateway.protocols import open_inference_pb2 as pb
from gateway.protocols.tensors import from_raw, objects
from tests.clients.vectors import REQUESTS, Sent, grpc_answer

SERVICE = "/inference.GRPCInferenceService"


@dataclass(frozen=True)
class Question:
    """`outputs`: how many classes are wanted of each output, 0 for its values; empty for all outputs."""

    model: str
    inputs: Mapping[str, Array]
    version: str = ""
    outputs: Mapping[str, int] = field(default_factory=dict)
    id: str = ""
    parameters: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Told:
    """`status` is HTTP's, or gRPC's by name, or "" on a stream, where a fault has only its words.

    A fault has the version that it happened with, too; `named` is whether the prediction's id came with it.
    """

    status: int | str
    error: str = ""
    version: str = ""
    id: str = ""
    outputs: Mapping[str, Array] = field(default_factory=dict)
    named: bool = False


def http_ways(port: int, asked: Question) -> Iterator[tuple[str, Told]]:
    """By JSON and by binary tensors."""
    for way in ("json", "binary"):
        if way == "binary" or not _halves(asked):
            yield way, _over_http(port, asked, REQUESTS[way](asked.model, dict(asked.inputs)))


def grpc_ways(port: int, asked: Question) -> Iterator[tuple[str, Told]]:
    """By raw and by typed contents, each in a call and on a stream."""
    with grpc.insecure_channel(f"127.0.0.1:{port}") as channel:
        for way in ("raw gRPC", "typed gRPC"):
            if way == "raw gRPC" or not _halves(asked):
                message = _message(asked, REQUESTS[way](asked.model, dict(asked.inputs)))
                yield way, _called(channel, message)
                yield f"{way}, streamed", _streamed(channel, message)


def _halves(asked: Question) -> bool:
    """Whether some input is of a type that goes raw only."""
    return any(array.dtype in (NUMPY_DTYPES["FP16"], NUMPY_DTYPES["BF16"]) for array in asked.inputs.values())


def _over_http(port: int, asked: Question, sent: Sent) -> Told:
    document = orjson.loads(sent.body[: sent.json_length])
    raw = sent.body[sent.json_length :] if sent.json_length is not None else b""
    document |= {"id": asked.id} if asked.id else {}
    document["parameters"] = {**document.get("parameters", {}), **asked.parameters}
    document["outputs"] = [
        {"name": name, "parameters": {"classification": classes}} for name, classes in asked.outputs.items()
    ]
    text = orjson.dumps(document)
    headers = {"content-type": "application/json"}
    if sent.json_length is not None:
        headers = {"inference-header-content-length": str(len(text))}
    version = f"/versions/{asked.version}" if asked.version else ""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    connection.request("POST", f"/v2/models/{asked.model}{version}/infer", text + raw, headers)
    answer = connection.getresponse()
    body = answer.read()
    connection.close()
    length = answer.getheader("inference-header-content-length")
    told = orjson.loads(body[: int(length)] if length else body)
    if answer.status != 200:
        version, prediction = (
            answer.getheader(f"x-headrace-{of}", "") for of in ("version", "prediction-id")
        )
        return Told(answer.status, told["error"], version, named=bool(prediction))
    raw = body[int(length) :] if length else b""
    return Told(
        answer.status, "", told["model_version"], told.get("id", ""), dict(_outputs(told["outputs"], raw))
    )


def _outputs(outputs: list[dict[str, Any]], raw: bytes) -> Iterator[tuple[str, Array]]:
    for output in outputs:
        dtype, shape = NUMPY_DTYPES[output["datatype"]], tuple(output["shape"])
        if "data" not in output:
            size = output["parameters"]["binary_data_size"]
            yield output["name"], from_raw(output["name"], dtype, shape, raw[:size])
            raw = raw[size:]
            continue
        data = (
            [item.encode() for item in output["data"]] if dtype == NUMPY_DTYPES["BYTES"] else output["data"]
        )
        flat = objects(data)
        yield output["name"], flat.astype(dtype).reshape(shape)


def _message(asked: Question, sent: Sent) -> pb.ModelInferRequest:
    message = pb.ModelInferRequest.FromString(sent.body)
    message.id, message.model_version = asked.id, asked.version
    for name, classes in asked.outputs.items():
        message.outputs.add(name=name).parameters["classification"].int64_param = classes
    fields = {bool: "bool_param", int: "int64_param", float: "double_param", str: "string_param"}
    for name, value in asked.parameters.items():
        setattr(message.parameters[name], fields[type(value)], value)
    return message


def _called(channel: grpc.Channel, message: pb.ModelInferRequest) -> Told:
    call: grpc.UnaryUnaryMultiCallable[bytes, bytes] = channel.unary_unary(f"{SERVICE}/ModelInfer")
    try:
        return _told("OK", pb.ModelInferResponse.FromString(call(message.SerializeToString(), timeout=30)))
    except grpc.RpcError as error:
        metadata = {item.key: item.value for item in error.trailing_metadata() or ()}
        version, prediction = (metadata.get(f"x-headrace-{of}", "") for of in ("version", "prediction-id"))
        return Told(error.code().name, error.details() or "", str(version), named=bool(prediction))


def _streamed(channel: grpc.Channel, message: pb.ModelInferRequest) -> Told:
    call: grpc.StreamStreamMultiCallable[bytes, bytes] = channel.stream_stream(f"{SERVICE}/ModelStreamInfer")
    (data,) = call(iter([message.SerializeToString()]), timeout=30)
    reply = pb.ModelStreamInferResponse.FromString(data)
    if reply.error_message:
        named = bool(reply.infer_response.parameters["headrace_prediction_id"].string_param)
        return Told("", reply.error_message, reply.infer_response.model_version, named=named)
    return _told("", reply.infer_response)


def _told(status: str, answer: pb.ModelInferResponse) -> Told:
    return Told(status, "", answer.model_version, answer.id, dict(grpc_answer(answer.SerializeToString())))
