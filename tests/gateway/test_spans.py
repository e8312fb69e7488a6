"""A caller's trace through a real edge and a real worker, as a real OTLP endpoint receives it."""

import importlib
import json
import time
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

from gateway.config import Tracing
from tests.gateway.exchange import post
from tests.gateway.node import Node, config_of
from tests.gateway.telemetry.collector import Collector, attributes, collecting

triton: Any = importlib.import_module("tritonclient.grpc")
SPAN = "00f067aa0ba902b7"
QUESTION = {"inputs": [{"name": "i", "shape": [1], "datatype": "INT64", "data": [1]}]}


@pytest.fixture(scope="module")
def traced(lookup: bytes, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Node, Collector]]:
    """A node whose own share of traced requests is 0."""
    with collecting() as collector:
        tracing = Tracing(endpoint=collector.endpoint, sample_ratio=0.0)
        config = config_of(tmp_path_factory.mktemp("home"), tracing=tracing)
        with Node(config, {"m": lookup}) as node:
            yield node, collector


def received(collector: Collector, trace: str, count: int) -> list[dict[str, str | int]]:
    """The attributes of the trace's spans, once so many have come; all are children of the caller's."""
    deadline = time.monotonic() + 20
    while len(spans := [span for span in collector.spans if span.trace_id.hex() == trace]) < count:
        assert time.monotonic() < deadline, f"{len(spans)} of {count} spans came"
        time.sleep(0.05)
    assert {(span.name, span.parent_span_id.hex()) for span in spans} == {("infer m", SPAN)}
    return [attributes(span) for span in spans]


def test_over_http(traced: tuple[Node, Collector]) -> None:
    node, collector = traced
    trace = "a" * 32
    answer = post(
        node.edge[0],
        "/v2/models/m/infer",
        json.dumps(QUESTION).encode(),
        f"traceparent: 00-{trace}-{SPAN}-01\r\n",
    )
    (told,) = received(collector, trace, 1)
    assert answer.status == 200
    assert told["headrace.prediction_id"] == answer.headers["x-headrace-prediction-id"]
    assert (told["headrace.protocol"], told["headrace.version"]) == ("http", 1)


def test_over_grpc_in_a_call_and_on_a_stream(traced: tuple[Node, Collector]) -> None:
    node, collector = traced
    trace = "b" * 32
    tensor = triton.InferInput("i", [1], "INT64")
    tensor.set_data_from_numpy(np.array([1]))
    headers = {"traceparent": f"00-{trace}-{SPAN}-01"}
    with triton.InferenceServerClient(f"127.0.0.1:{node.edge[1]}") as client:
        called = client.infer("m", [tensor], headers=headers)
        client.start_stream(lambda result, error: None, headers=headers)
        client.async_stream_infer("m", [tensor], request_id="streamed")
        told = received(collector, trace, 2)
        client.stop_stream()
    unary, streamed = sorted(told, key=lambda each: "headrace.request_id" in each)
    prediction = called.get_response().parameters["headrace_prediction_id"].string_param
    assert unary["headrace.prediction_id"] == prediction
    assert streamed["headrace.request_id"] == "streamed"
    assert {each["headrace.protocol"] for each in told} == {"grpc"}


def test_only_what_a_caller_samples_is_sent(traced: tuple[Node, Collector]) -> None:
    node, collector = traced
    body = json.dumps(QUESTION).encode()
    for head in ("", f"traceparent: 00-{'c' * 32}-{SPAN}-00\r\n", "traceparent: nonsense\r\n"):
        assert post(node.edge[0], "/v2/models/m/infer", body, head).status == 200
    last = f"traceparent: 00-{'d' * 32}-{SPAN}-01\r\n"  # spans go out in order
    assert post(node.edge[0], "/v2/models/m/infer", body, last).status == 200
    received(collector, "d" * 32, 1)
    assert {span.trace_id.hex()[0] for span in collector.spans} <= {"a", "b", "d"}
