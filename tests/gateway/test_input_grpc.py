"""Bad gRPC input by the numbers of the hardening list, with a real client: through the edge and to the worker
itself. After each fault the next call is answered.
"""

import contextlib
import socket
import struct
from collections.abc import Iterator
from typing import Any

import grpc
import numpy as np
import psutil
import pytest
from onnx import TensorProto, helper

from gateway.protocols import open_inference_pb2 as pb
from gateway.server.edge.haproxy import LANE
from tests.gateway.conftest import tensor
from tests.gateway.http2 import PREFACE, call, frame, headers
from tests.gateway.node import Node, config_of, haproxy
from tests.graphs import serialised

Code = grpc.StatusCode


@pytest.fixture(scope="module")
def node(tmp_path_factory: pytest.TempPathFactory, endless: bytes) -> Iterator[Node]:
    rows: list[int | str] = ["n", 4]
    graph = helper.make_graph(
        [helper.make_node("Identity", ["x"], ["y"])],
        "one",
        [tensor("x", TensorProto.FLOAT, rows)],
        [tensor("y", TensorProto.FLOAT, rows)],
    )
    # The model without end is tried with noise when it is loaded, and ended after `max_run_s`.
    given = {"limits": {"max_body_mb": 1}, "serving": {"max_run_s": 5}}
    config = config_of(tmp_path_factory.mktemp("home"), **given)
    with Node(config, {"one": serialised(graph), "endless": endless}) as node:
        yield node


@pytest.fixture(params=["direct", "edge"])
def channel(request: pytest.FixtureRequest, node: Node) -> Iterator[grpc.Channel]:
    with grpc.insecure_channel(f"127.0.0.1:{getattr(node, request.param)[1]}") as channel:
        yield channel


def question(rows: int = 1, *raw: bytes, model: str = "one") -> pb.ModelInferRequest:
    """`rows` of ones for `one`; `raw` in place of what fits."""
    message = pb.ModelInferRequest(model_name=model)
    message.inputs.add(name="x", datatype="FP32", shape=[rows, 1 if model == "endless" else 4])
    message.raw_input_contents.extend(raw or [np.ones((rows, 4), np.float32).tobytes()])
    return message


def typed_and_raw() -> bytes:
    message = question()
    message.inputs[0].contents.fp32_contents.extend([1, 2, 3, 4])
    return message.SerializeToString()


def named(inputs: tuple[str, ...], outputs: tuple[str, ...] = ()) -> bytes:
    """A sound tensor under each of these names, and these outputs."""
    message = question()
    tensor, raw = message.inputs.pop(), message.raw_input_contents.pop()
    for name in inputs:
        tensor.name = name
        message.inputs.append(tensor)
        message.raw_input_contents.append(raw)
    message.outputs.extend(pb.ModelInferRequest.InferRequestedOutputTensor(name=name) for name in outputs)
    return message.SerializeToString()


LONG = "z" * 40_000
SOUND = question().SerializeToString()
HUGE = question(100_000).SerializeToString()
CASES: dict[str, tuple[grpc.StatusCode, bytes, dict[str, Any]]] = {
    "35 a message over the cap": (Code.RESOURCE_EXHAUSTED, HUGE, {}),
    "36 a compressed bomb": (Code.RESOURCE_EXHAUSTED, HUGE, {"compression": grpc.Compression.Gzip}),
    "37 garbage": (Code.INVALID_ARGUMENT, b"\xff\xfe garbage", {}),
    "37 truncated": (Code.INVALID_ARGUMENT, SOUND[:-3], {}),
    "38 nested too deep": (Code.INVALID_ARGUMENT, b"\xa3\x06" * 200 + b"\xa4\x06" * 200, {}),
    "39 contents and raw contents": (Code.INVALID_ARGUMENT, typed_and_raw(), {}),
    "39 a raw buffer too many": (Code.INVALID_ARGUMENT, question(1, b"x" * 16, b"").SerializeToString(), {}),
    "39 a raw buffer too short": (Code.INVALID_ARGUMENT, question(1, b"x" * 15).SerializeToString(), {}),
    "41 a deadline that passes in the run": (
        Code.DEADLINE_EXCEEDED,
        question(1, struct.pack("<f", 2), model="endless").SerializeToString(),
        {"timeout": 0.5},
    ),
    "43 metadata over its cap": (Code.RESOURCE_EXHAUSTED, SOUND, {"metadata": [("x-long", "v" * 20_000)]}),
    "29 an input with a long name too many": (Code.INVALID_ARGUMENT, named(("x", LONG)), {}),
    "29 an unknown output with a long name": (Code.INVALID_ARGUMENT, named(("x",), (LONG,)), {}),
    "21 an unknown model": (Code.NOT_FOUND, question(model="none").SerializeToString(), {}),
}


def assert_serving(channel: grpc.Channel) -> None:
    answer = pb.ModelInferResponse.FromString(call(channel, SOUND))
    assert answer.raw_output_contents[0] == np.ones(4, np.float32).tobytes()


@pytest.mark.parametrize("name", CASES)
def test_a_bad_call(name: str, channel: grpc.Channel) -> None:
    code, data, more = CASES[name]
    with pytest.raises(grpc.RpcError) as caught:
        call(channel, data, **more)
    details = caught.value.details() or ""
    assert caught.value.code() is code, details
    assert len(details) <= 1024
    assert not any(word in details for word in ("Traceback", ".py", "html"))
    assert_serving(channel)


@pytest.mark.parametrize("method", [LANE, "/inference.GRPCInferenceService/ServerLive"])
def test_37_no_message_at_all(method: str, channel: grpc.Channel) -> None:
    unary: grpc.StreamUnaryMultiCallable[bytes, bytes] = channel.stream_unary(method)
    with pytest.raises(grpc.RpcError) as caught:
        unary(iter(()), timeout=20)
    assert (caught.value.code(), caught.value.details()) == (
        Code.INVALID_ARGUMENT,
        "the call holds no message",
    )
    assert_serving(channel)


@pytest.mark.parametrize(
    "method", ["/inference.GRPCInferenceService/Nothing", "/no.Service/ModelInfer", "/ModelInfer"]
)
def test_40_an_unknown_method(method: str, channel: grpc.Channel) -> None:
    with pytest.raises(grpc.RpcError) as caught:
        call(channel, SOUND, method)
    assert caught.value.code() is Code.UNIMPLEMENTED
    assert_serving(channel)


def test_42_a_cancelled_call_frees_its_place(channel: grpc.Channel, node: Node) -> None:
    endless = question(1, struct.pack("<f", 2), model="endless").SerializeToString()
    quick = question(1, struct.pack("<f", 0), model="endless").SerializeToString()
    unary: grpc.UnaryUnaryMultiCallable[bytes, bytes] = channel.unary_unary(LANE)
    for _ in range(node.config.serving.threads + 1):
        pending = unary.future(endless)
        with contextlib.suppress(grpc.FutureTimeoutError):
            pending.result(timeout=0.2)  # time to arrive; if it did not, the test still holds
        pending.cancel()
    answer = call(channel, quick, timeout=3)  # sooner than the runs would end by themselves
    assert pb.ModelInferResponse.FromString(answer).model_name == "endless"


# ---- frames, by hand ----


FLOODS = {
    "44 pings": PREFACE + frame(6, 0, 0, bytes(8)) * 20_000,
    "44 settings": PREFACE + frame(4, 0, 0) * 20_000,
    "44 empty data": PREFACE + headers(1, "/v2") + frame(0, 0, 1) * 20_000,
    "45 rapid reset": PREFACE
    + b"".join(
        headers(stream, "/v2/models") + frame(3, 0, stream, (8).to_bytes(4, "big"))
        for stream in range(1, 20_001, 2)
    ),
    "continuations without end": PREFACE + frame(1, 0, 1, b"") + frame(9, 0, 1, b"\0\1a\1b") * 20_000,
    "a frame too large": PREFACE + frame(0, 0, 1, bytes(2**20)),
}


@pytest.mark.parametrize("name", FLOODS)
def test_a_flood_harms_nobody_else(name: str, node: Node) -> None:
    mine = psutil.Process()
    (edge,) = haproxy(node.config)
    before = edge.memory_info().rss + mine.memory_info().rss
    with grpc.insecure_channel(f"127.0.0.1:{node.edge[1]}") as channel:
        assert_serving(channel)
        with socket.create_connection(("127.0.0.1", node.edge[1]), timeout=20) as flood:
            flood.settimeout(5)
            with contextlib.suppress(TimeoutError, BrokenPipeError, ConnectionResetError):
                flood.sendall(FLOODS[name])  # else closed, or no longer read
            assert_serving(channel)  # while the flood's connection is open
        assert_serving(channel)
    assert edge.is_running()
    assert edge.memory_info().rss + mine.memory_info().rss - before < 64 * 2**20
