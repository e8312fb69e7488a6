"""Where fuzzing starts: sound requests, all cases of the tables of bad ones, and what once found a bug.

A file in `found/TARGET/` is such an input, kept for good.
"""

import json
import struct
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

import numpy as np

from gateway.protocols import open_inference_pb2 as pb
from gateway.protocols.compression import compress
from gateway.protocols.grpc_frame import prefix
from gateway.server.http import grpc_lane
from tests.fuzz.targets import KNOWN
from tests.gateway.protocols.test_mlflow_csv import FAULTS as CSV
from tests.gateway.protocols.test_mlflow_json import FAULTS as MLFLOW
from tests.gateway.server.http.test_codecs import FAULTS as V1
from tests.gateway.server.http.test_connection import REFUSED
from tests.gateway.server.http.test_inference import ACCEPTED, FAULTS, ONE, body, tensor

FOUND = Path(__file__).parent / "found"
_LARGEST = 4096


def seeds(target: str) -> list[bytes]:
    """Inputs of a target, the small ones."""
    made = [data for data in _MADE[target]() if len(data) <= _LARGEST]
    return made + [path.read_bytes() for path in sorted((FOUND / target).glob("*"))]


def requests() -> list[bytes]:
    """Whole HTTP requests that leave their connection open, with all headers that mean something."""
    heads = [
        "",
        "content-type: application/json\r\n",
        "content-type: text/csv\r\n",
        "x-headrace-key: alice\r\n",
        "x-headrace-timeout-ms: 60000\r\n",
        "accept-encoding: gzip\r\n",
        "content-encoding: br\r\n",
        "content-encoding: gzip\r\n",
        "expect: 100-continue\r\n",
        "inference-header-content-length: 0\r\n",
        "inference-header-content-length: 7\r\n",
        f"inference-header-content-length: {len(body())}\r\n",
        "grpc-timeout: 0S\r\n",
        "X-Api-Key: a\r\nx-api-key: b\r\n",
    ]
    found = [_post(ONE, body(), head) for head in heads]
    found += [_post("/v2/models/one/versions/2/infer", body(id="7"), head) for head in heads[:3]]
    found += [_post(ONE, compress(body(), "gzip"), "content-encoding: gzip\r\n")]
    found += [_post(path, data, head) for _, path, data, head in FAULTS.values() if len(data) <= _LARGEST]
    found += [
        f"{method} {path} HTTP/1.1\r\nhost: h\r\n\r\n".encode()
        for method in ("GET", "HEAD", "POST", "DELETE")
        for path in (
            ONE,
            "/v2",
            "/v2/models/one/config",
            "/v2/repository/index",
            "/metrics",
        )
    ]
    found += [
        _grpc(prefix(len(message)) + message, head)
        for message in _messages()
        for head in ("", "grpc-timeout: 1H\r\n")
    ]
    return [data for data in found if b"broken" not in data and b"busy" not in data and b"slow" not in data]


def _post(path: str, data: bytes, head: str = "") -> bytes:
    return f"POST {path} HTTP/1.1\r\nhost: h\r\ncontent-length: {len(data)}\r\n{head}\r\n".encode() + data


def _grpc(data: bytes, head: str = "") -> bytes:
    return _post(grpc_lane.INFER.decode(), data, "content-type: application/grpc\r\nte: trailers\r\n" + head)


def _json() -> Iterator[bytes]:
    yield from (data for _, _, data, _ in FAULTS.values())
    yield from ACCEPTED.values()
    yield body(tensor(shape=[], data=[1]))
    yield body(tensor(datatype="BOOL", shape=[2, 1], data=[[True], [False]]))
    yield body(tensor(datatype="BYTES", shape=[2], data=["", "hé\u2028"]))
    yield body(tensor(datatype="INT64", shape=[2], data=[-(2**63), 2**63 - 1]))
    yield body(outputs=[{"name": "y", "parameters": {"classification": 2}}], parameters={"timeout": 5})


def _binary() -> Iterator[bytes]:
    for _, _, data, head in FAULTS.values():
        length = head.partition("inference-header-content-length: ")[2].strip()
        yield struct.pack(">H", int(length) if length.isdigit() and len(length) < 5 else 0) + data
    text = body({"name": "s", "datatype": "BYTES", "shape": [2], "parameters": {"binary_data_size": 9}})
    yield struct.pack(">H", len(text)) + text + b"\1\0\0\0a\0\0\0\0"


_ARRAYS = ("[1, 2, 3]", "[1.5,-0,1e-3]", "[[0.1, 1E+2, 7]]", "[1, 2]", "[true, 2, 3]", "[1, 2, 1e39]")


def _known() -> Iterator[bytes]:
    yield from (KNOWN.replace(b"[1, 2.5, -3e2]", array.encode()) for array in _ARRAYS)


def _v1() -> Iterator[bytes]:
    yield b'{"instances": [{"a": [1, 2, 3, 4], "b": "x"}, {"a": [0, 0, 0, 0.5], "b": ""}]}'
    yield b'{"inputs": {"a": [[1, 2, 3, 4]], "b": ["x"], "i": 255}, "parameters": {"timeout": 5}}'
    yield from (data if isinstance(data, bytes) else json.dumps(data).encode() for _, _, data in V1.values())


def _mlflow() -> Iterator[bytes]:
    yield from _v1()
    yield b'{"dataframe_split": {"columns": ["a", "b"], "data": [[[1, 2, 3, 4], "x"]]}, "params": {"t": 5}}'
    yield from (json.dumps(document).encode() for _, document, _ in MLFLOW.values())


def _lines() -> Iterator[bytes]:
    yield b'a,b,i\n1,"x, ""y""",255\n2,z,0\n'
    yield from (data for _, data, _ in CSV.values())


def _messages() -> list[bytes]:
    raw = pb.ModelInferRequest(model_name="one", model_version="2", id="7")
    raw.inputs.add(name="x", datatype="FP32", shape=[1, 4])
    raw.raw_input_contents.append(np.ones(4, np.float32).tobytes())
    raw.outputs.add(name="y").parameters["classification"].int64_param = 2
    raw.parameters["routing_key"].string_param = "alice"
    raw.parameters["timeout"].int64_param = 10**9
    typed = pb.ModelInferRequest(model_name="text")
    typed.inputs.add(name="s", datatype="BYTES", shape=[2]).contents.bytes_contents.extend([b"a", b"\xff"])
    small = pb.ModelInferRequest(model_name="ints")
    small.inputs.add(name="i", datatype="UINT8", shape=[2]).contents.uint_contents.extend([1, 300])
    return [message.SerializeToString() for message in (raw, typed, small)]


def _frames() -> Iterator[bytes]:
    for message in _messages():
        packed = compress(message, "gzip")
        yield b"\0100m\0" + prefix(len(message)) + message
        yield b"\x01-5S\0\x01" + struct.pack(">I", len(packed)) + packed


def _compressed() -> Iterator[bytes]:
    for number, encoding in enumerate(("gzip", "deflate")):
        yield bytes([number]) + compress(body(), encoding)
        yield bytes([number]) + compress(b" " * 2_000_000, encoding)


def _connections() -> Iterator[bytes]:
    yield from requests()
    yield from (data for data, _ in REFUSED.values())
    chunks = b"3\r\n{}\n\r\n0\r\nx-headrace-key: t\r\n\r\n"
    yield f"POST {ONE} HTTP/1.1\r\ntransfer-encoding: chunked\r\n\r\n".encode() + chunks
    yield b"GET /v2 HTTP/1.0\r\nconnection: keep-alive\r\n\r\n" * 2
    yield b"GET /v2 HTTP/1.1\r\nconnection: close\r\n\r\n" * 2
    yield _post(ONE, body()) * 3


def _calls() -> Iterator[bytes]:
    yield from (prefix(len(message)) + message for message in _messages())


_MADE: dict[str, Callable[[], Iterable[bytes]]] = {
    "json_body": _json,
    "binary_body": _binary,
    "v1_body": _v1,
    "mlflow_body": _mlflow,
    "mlflow_lines": _lines,
    "protobuf": _messages,
    "grpc_frame": _frames,
    "compressed": _compressed,
    "connection": _connections,
    "call": _calls,
    "known_words": _known,
}
