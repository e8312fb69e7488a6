"""What must hold for any bytes a caller may send: one function per way in, each raising if it does not.

A fault of the caller is a GatewayError with a code that is the caller's; whatever else is raised is a bug.
"""

import asyncio
import json
import re
import tempfile
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import TypeVar

import numpy as np
from onnx import TensorProto, helper

from gateway.core.signature import Signature, TensorSpec
from gateway.core.types import Array, InferRequest, InferResponse, Outcome, Role
from gateway.errors import GatewayError
from gateway.local import table_of
from gateway.protocols import (
    json_bulk,
    mlflow_csv,
    mlflow_json,
    proto_answer,
    v1_json,
    v2_answer,
    v2_binary,
    v2_json,
    v2_proto,
)
from gateway.protocols import open_inference_pb2 as pb
from gateway.protocols.answer_form import BINARY, AnswerForm
from gateway.protocols.compression import decompress
from gateway.protocols.grpc_frame import prefix, timeout_ns, unframe
from gateway.protocols.json_layouts import KnownBodies
from gateway.protocols.tensors import datatype_of, to_raw
from gateway.server.http import grpc_lane
from gateway.server.http.codecs import PlainBodies
from tests.fuzz.reference import Refused, inputs_of
from tests.fuzz.wire import Answer, Host, exchange
from tests.gateway.server.express.line import Line, alike, chunked, opened
from tests.graphs import serialised

T = TypeVar("T")
CAP = 2**20
V1_SIGNATURE = Signature(
    (TensorSpec("a", "FP32", (-1, 4)), TensorSpec("b", "BYTES", (-1,)), TensorSpec("i", "UINT8", ())), ()
)
_EMPTY = np.zeros(0, np.float32)
_SMALL = 1024
_SIGHTS = 3  # what comes twice is remembered, and known the next time
_PREDICTION = "x-headrace-prediction-id"
_INTERNAL = re.compile(rb"Traceback|\.py\b|site-packages|0x[0-9a-f]{6}")
_runner = asyncio.Runner()
_LINES: list[Line] = []
KNOWN = b'{"inputs":[{"name":"x","datatype":"FP32","shape":[1,3],"data":[1, 2.5, -3e2]}]}'
"""A body whose words the express lane knows."""


_BODIES = KnownBodies()  # so that what was seen meets what resembles it


def json_body(data: bytes) -> None:
    """The fast JSON decoders and the slow one take the same bodies, and read the same tensors from them."""
    _read_alike(data)
    _read_alike(data + b" " * json_bulk.FROM_BYTES)  # large ones have a decoder of their own


def _read_alike(data: bytes) -> None:
    asked = _caught(lambda: v2_json.decode(data, "m", None, known=_BODIES))
    try:
        expected = inputs_of(data)
    except Refused:
        assert asked is None, "what the slow decoder refuses is taken"
        return
    if asked is None:  # of what the slow one does not look at
        return
    assert asked[0].inputs.keys() == expected.keys()
    for name, array in expected.items():
        assert _same(asked[0].inputs[name], array), name
    _echo(*asked)


def binary_body(data: bytes) -> None:
    """Two bytes for the length of the JSON part, then the body."""
    length, body = str(int.from_bytes(data[:2], "big")), data[2:]
    if asked := _caught(
        lambda: v2_json.decode(body, "m", None, "", v2_binary.json_length(length, len(body)))
    ):
        _echo(*asked)


def v1_body(data: bytes) -> None:
    _plain(v1_json, data)


def mlflow_body(data: bytes) -> None:
    _plain(mlflow_json, data)


def mlflow_lines(data: bytes) -> None:
    _plain(mlflow_csv, data)


def _plain(bodies: PlainBodies, data: bytes) -> None:
    """What is taken can be answered in the form that was asked for, or is refused by words for it."""
    asked = _caught(lambda: bodies.decode(data, V1_SIGNATURE, "m", None))
    if asked is not None:
        response = InferResponse("m", 1, Role.CHAMPION, dict(asked.request.inputs) or {"y": _EMPTY}, "", "p")
        _caught(lambda: bodies.encode(response, asked.rows))


def protobuf(data: bytes) -> None:
    """The message, and the same tensors sent again as raw buffers."""
    asked = _caught(lambda: v2_proto.decode(v2_proto.parse(data)))
    if asked is None:
        return
    _echo(*asked)
    again = pb.ModelInferRequest(model_name="m")
    for name, array in asked[0].inputs.items():
        again.inputs.add(name=name, datatype=datatype_of(name, array), shape=array.shape)
        again.raw_input_contents.append(to_raw(array))
    raw, _ = v2_proto.decode(v2_proto.parse(again.SerializeToString()))
    assert all(_same(array, raw.inputs[name]) for name, array in asked[0].inputs.items())


def grpc_frame(data: bytes) -> None:
    """One byte for the encoding, a text up to a NUL as timeout, then the body of a call."""
    encoding = ("", "gzip", "deflate", "identity", "br")[data[0] % 5] if data else ""
    timeout, _, body = data[1:].partition(b"\0")
    _caught(lambda: timeout_ns(timeout.decode("latin-1")))
    if (found := _caught(lambda: unframe(body, CAP))) is not None:
        message, packed = found
        plain = _caught(lambda: decompress(message, encoding, CAP)) if packed else message
        assert plain is None or unframe(prefix(len(plain)) + plain, CAP) == (plain, False)


def compressed(data: bytes) -> None:
    """One byte for the encoding, then a body."""
    encoding = ("gzip", "deflate", "br")[data[0] % 3] if data else ""
    plain = _caught(lambda: decompress(data[1:], encoding, CAP))
    assert plain is None or len(plain) <= CAP


def connection(data: bytes) -> None:
    """Whatever arrives on a connection, and however it is cut, is answered by faults of the caller alone."""
    _runner.run(_connection(data))


async def _connection(data: bytes) -> None:
    whole = checked(exchange([data]))
    for _ in range(_SIGHTS):
        assert told(checked(exchange([data], _experienced()))) == told(whole)
    if len(data) <= 256:
        assert told(checked(exchange(data[i : i + 1] for i in range(len(data))))) == told(whole)
    middle = len(data) // 2
    assert told(checked(exchange([data[:middle], data[middle:]]))) == told(whole)


def checked(found: list[Answer]) -> list[Answer]:
    """The answers: none of them a failure of ours, every refusal small and without a word of the inside."""
    for answer in found:
        assert answer.status < 500 or "retry-after" in answer.headers, answer
        if answer.status >= 400 and answer.body:
            assert len(answer.body) <= _SMALL, answer
            assert list(json.loads(answer.body)) == ["error"], answer
            assert not _INTERNAL.search(answer.body), answer
        if "grpc-status" in answer.headers:
            assert answer.headers["grpc-status"] not in ("2", "13"), answer
            assert len(answer.headers["grpc-message"]) <= _SMALL, answer
            assert not _INTERNAL.search(answer.headers["grpc-message"].encode()), answer
    return found


def call(data: bytes) -> None:
    """The body of a unary gRPC call on the fast lane."""
    head = b"POST %s HTTP/1.1\r\ncontent-type: application/grpc\r\ncontent-length: %d\r\n\r\n"
    _runner.run(_call(head % (grpc_lane.INFER, len(data)) + data))


async def _call(data: bytes) -> None:
    (answer,) = found = checked(exchange([data]))
    for _ in range(_SIGHTS):
        assert told(checked(exchange([data], _experienced()))) == told(found)
    assert answer.status == 200
    assert "grpc-status" in answer.headers or answer.trailers["grpc-status"] == "0"


def known_words(data: bytes) -> None:
    """Bodies like one that is known. A worker with the express lane and one without answer alike."""
    _runner.run(_known_words(data))


async def _known_words(data: bytes) -> None:
    express, usual = await _lines()
    replies = [alike(line.ask(chunked(data))) for line in (express, usual)]
    assert replies[0] == replies[1]


async def _lines() -> tuple[Line, Line]:
    if not _LINES:
        graph = helper.make_graph(
            [helper.make_node("Identity", ["x"], ["y"])],
            "copy",
            [helper.make_tensor_value_info("x", TensorProto.FLOAT, ["n", 3])],
            [helper.make_tensor_value_info("y", TensorProto.FLOAT, ["n", 3])],
        )
        home = Path(tempfile.mkdtemp())
        artifact = home / "copy.onnx"
        artifact.write_bytes(serialised(graph))
        champion = table_of({"m": artifact}).models["m"]
        _LINES.extend([await opened(home, champion), await opened(home, champion, express=False)])
        _LINES[0].taught(chunked(KNOWN))
    return _LINES[0], _LINES[1]


@cache
def _experienced() -> Host:
    """One that has seen it all before: what it remembers must change no answer."""
    return Host()


TARGETS: dict[str, Callable[[bytes], None]] = {
    target.__name__: target
    for target in (
        json_body,
        binary_body,
        v1_body,
        mlflow_body,
        mlflow_lines,
        protobuf,
        grpc_frame,
        compressed,
        connection,
        call,
        known_words,
    )
}


def _caught(attempt: Callable[[], T]) -> T | None:
    """What it gives, or None for a fault of the caller."""
    try:
        return attempt()
    except GatewayError as caught:
        error = caught
    assert Outcome.of(error.code) is Outcome.CLIENT_ERROR, error
    assert len(error.message) <= _SMALL, error
    assert not _INTERNAL.search(error.message.encode("utf-8", "surrogatepass")), error
    return None


def _echo(asked: InferRequest, form: AnswerForm) -> None:
    """Whatever came in can go out again, in the form that was asked for and over gRPC."""
    response = InferResponse(asked.model, 1, Role.CHAMPION, dict(asked.inputs), asked.id, "p")
    _caught(lambda: v2_answer.encode(response, form))
    body, length = v2_answer.encode(response, BINARY)
    raws = b"".join(to_raw(array) for array in asked.inputs.values())
    assert length is None or body[length:] == raws
    message = pb.ModelInferResponse.FromString(proto_answer.encode(response))
    assert b"".join(message.raw_output_contents) == raws


def _same(left: Array, right: Array) -> bool:
    return left.dtype == right.dtype and left.shape == right.shape and to_raw(left) == to_raw(right)


def told(found: list[Answer]) -> list[Answer]:
    """The answers without the prediction id, which is new in every one."""
    return [
        answer._replace(
            headers={name: value for name, value in answer.headers.items() if name != _PREDICTION},
            body=_anonymous(answer.body) if "grpc-status" in answer.trailers else answer.body,
        )
        for answer in found
    ]


def _anonymous(framed: bytes) -> bytes:
    message = pb.ModelInferResponse.FromString(framed[5:])
    del message.parameters[proto_answer.PREDICTION_ID]
    return message.SerializeToString(deterministic=True)
