import gzip
import logging
import struct
from typing import Any

import numpy as np
import pytest

from gateway.protocols import open_inference_pb2 as pb

PATH = "/inference.GRPCInferenceService/ModelInfer"
GRPC = "content-type: application/grpc\r\nte: trailers\r\n"
ROW = np.array([[1, 2, 3, 4]], np.float32)


def call(model: str = "pair", **fields: Any) -> pb.ModelInferRequest:
    message = pb.ModelInferRequest(model_name=model, **fields)
    for name in "ab":
        message.inputs.add(name=name, datatype="FP32", shape=[1, 4])
        message.raw_input_contents.append(ROW.tobytes())
    return message


def framed(data: bytes, compressed: int = 0) -> bytes:
    return struct.pack(">BI", compressed, len(data)) + data


async def test_an_answer_carries_its_status_in_the_trailer(client: Any, engine: Any) -> None:
    for version in ("", "2"):
        data = framed(call(model_version=version, id="7").SerializeToString())
        reply = await client.post(PATH, data, GRPC + "x-headrace-key: alice\r\n")
        assert (reply.status, reply.trailers) == (200, {"grpc-status": "0"})
        assert reply.headers["content-type"] == "application/grpc"
        assert reply.headers["trailer"] == "grpc-status"
        compressed, length = struct.unpack_from(">BI", reply.body)
        assert (compressed, length) == (0, len(reply.body) - 5)
        answer = pb.ModelInferResponse.FromString(reply.body[5:])
        assert (answer.id, answer.model_version) == ("7", version or "1")
        assert reply.headers["x-headrace-version"] == answer.model_version
        assert reply.headers["x-headrace-prediction-id"] == f"p-{len(engine.seen)}"
        np.testing.assert_array_equal(np.frombuffer(answer.raw_output_contents[0], np.float32), 2 * ROW[0])
        assert engine.seen[-1].protocol == "grpc"
        assert engine.seen[-1].key == "alice"


async def test_http_and_grpc_take_turns_on_one_connection(client: Any, pair: Any) -> None:
    for _ in range(2):
        reply = await client.post(PATH, framed(call().SerializeToString()), GRPC)
        assert reply.trailers == {"grpc-status": "0"}
        assert (await client.post("/v2/models/pair/infer", pair)).json["model_name"] == "pair"


async def test_what_calls_itself_grpc_on_a_path_of_http_gets_the_answer_of_http(
    client: Any, pair: Any
) -> None:
    path = "/v2/models/pair/infer"
    first = await client.post(path, pair, "content-type: application/grpc\r\n")
    await client.post(path, pair)
    again = await client.post(path, pair, "content-type: application/grpc\r\n")
    assert (first.status, first.body) == (again.status, again.body)
    assert first.status == 415


async def test_a_compressed_message(client: Any) -> None:
    data = framed(gzip.compress(call().SerializeToString()), compressed=1)
    reply = await client.post(PATH, data, GRPC + "grpc-encoding: gzip\r\n")
    assert reply.trailers == {"grpc-status": "0"}


async def test_a_timeout_becomes_a_deadline(client: Any, engine: Any) -> None:
    await client.post(PATH, framed(call().SerializeToString()), GRPC + "grpc-timeout: 5S\r\n")
    await client.post(PATH, framed(call().SerializeToString()), GRPC)
    limited = call()
    limited.parameters["timeout"].int64_param = 1_000_000
    await client.post(PATH, framed(limited.SerializeToString()), GRPC + "grpc-timeout: 5S\r\n")
    assert engine.seen[0].deadline_ns > 0
    assert engine.seen[1].deadline_ns == 0
    assert engine.seen[2].deadline_ns - engine.seen[0].deadline_ns < 4_000_000_000


SOUND = framed(call().SerializeToString())
FAULTS: dict[str, tuple[int, bytes, str]] = {
    "no message": (3, b"", ""),
    "half a prefix": (3, b"\0\0", ""),
    "37 garbage": (3, framed(b"\xff\xff rubbish"), ""),
    "37 truncated message": (3, framed(call().SerializeToString()[:-3]), ""),
    "a prefix that lies": (3, SOUND[:-1], ""),
    "two messages": (3, SOUND * 2, ""),
    "38 nesting is bounded": (3, framed(b"\x2a\x04\x2a\x02\x2a" * 200), ""),
    "35 a length over the cap": (8, struct.pack(">BI", 0, 2**31), ""),
    "36 a compressed bomb": (8, framed(gzip.compress(b"\0" * 3_000_000), 1), "grpc-encoding: gzip\r\n"),
    "an unknown encoding": (12, framed(b"x", 1), "grpc-encoding: snappy\r\n"),
    "39 surplus raw contents": (3, framed(call(raw_input_contents=[b""]).SerializeToString()), ""),
    "41 an expired deadline": (4, SOUND, "grpc-timeout: 0m\r\n"),
    "41 a negative deadline": (4, SOUND, "grpc-timeout: -5S\r\n"),
    "a malformed deadline": (3, SOUND, "grpc-timeout: soon\r\n"),
    "an unknown model": (5, framed(call("nobody").SerializeToString()), ""),
    "a bad model name": (3, framed(call("../etc").SerializeToString()), ""),
    "a loading model": (14, framed(call("loading").SerializeToString()), ""),
    "overload": (8, framed(call("busy").SerializeToString()), ""),
    "a failure of ours": (13, framed(call("broken").SerializeToString()), ""),
    "control characters in the key": (3, SOUND, "x-headrace-key: a\tb\r\n"),
}


@pytest.mark.parametrize("name", FAULTS)
async def test_a_fault_is_nothing_but_headers(name: str, connect: Any, engine: Any) -> None:
    status, data, head = FAULTS[name]
    client = await connect()
    reply = await client.post(PATH, data, GRPC + head)
    assert (reply.status, reply.headers["grpc-status"]) == (200, str(status)), reply.headers
    assert (reply.headers["content-length"], reply.body) == ("0", b"")
    assert reply.headers["grpc-message"].isascii()
    assert ("grpc-retry-pushback-ms" in reply.headers) == (name in ("a loading model", "overload"))
    assert "/srv" not in reply.headers["grpc-message"]
    if "41" in name:
        assert engine.seen == []
    assert (await client.post(PATH, SOUND, GRPC)).trailers == {"grpc-status": "0"}


@pytest.mark.parametrize(
    ("name", "model", "code"),
    [
        ("39 surplus raw contents", "pair", "INVALID"),
        ("41 an expired deadline", "", "DEADLINE"),
        ("37 garbage", "", "INVALID"),
        ("overload", "busy", "OVERLOADED"),
    ],
)
async def test_a_fault_has_a_line_in_the_log(
    name: str, model: str, code: str, client: Any, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "gateway.telemetry.request_log")
    _, data, head = FAULTS[name]
    await client.post(PATH, data, GRPC + head)
    (line,) = [record for record in caplog.records if record.message == "a request failed"]
    assert (vars(line)["model"], vars(line)["code"]) == (model, code)


async def test_other_methods_are_not_answered_here(client: Any) -> None:
    reply = await client.post("/inference.GRPCInferenceService/ModelConfig", framed(b""), GRPC)
    assert reply.headers["grpc-status"] == "12"
