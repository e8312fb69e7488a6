"""Spans of a real worker, as a real OTLP endpoint receives them."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import grpc.aio
import httpx
import numpy as np

from gateway.config import GatewayConfig, Tracing
from gateway.core.routing import ModelRoute, RouteTable, VersionEntry
from gateway.protocols import open_inference_pb2 as pb
from gateway.worker import Worker
from tests.gateway.telemetry.collector import attributes, collecting

TRACE, SPAN = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"
SAMPLED = {"traceparent": f"00-{TRACE}-{SPAN}-01", "tracestate": "vendor=1"}
UNSAMPLED = {"traceparent": f"00-{'a' * 32}-{SPAN}-00"}


def question(index: int, id: str = "") -> dict[str, object]:
    return {"id": id, "inputs": [{"name": "i", "shape": [1], "datatype": "INT64", "data": [index]}]}


def message() -> bytes:
    tensor = pb.ModelInferRequest.InferInputTensor(name="i", shape=[1], datatype="INT64")
    raw = np.array([1], np.int64).tobytes()
    return pb.ModelInferRequest(model_name="m", inputs=[tensor], raw_input_contents=[raw]).SerializeToString()


async def test_every_way_in_continues_the_callers_trace(
    lookup: bytes, written: Callable[..., VersionEntry], tmp_path: Path
) -> None:
    with collecting() as collector:
        tracing = Tracing(endpoint=collector.endpoint, sample_ratio=0.0)
        worker = Worker(GatewayConfig(home=tmp_path, tracing=tracing), "w-1")
        entries = (written(lookup), written(lookup, version=2))
        await worker.shadow.start()
        await worker.routes.apply(RouteTable(4, {"m": ModelRoute("m", entries, 1, ((1, 100.0),), (2,))}))
        http, rpc = await worker.http.listen_tcp("127.0.0.1", 0), await worker.grpc.start("127.0.0.1:0")
        url = f"http://127.0.0.1:{http}/v2/models/m/infer"
        async with httpx.AsyncClient() as client:
            answer = await client.post(url, json=question(1, "r1"), headers=SAMPLED)
            for headers in (UNSAMPLED, {}, {"traceparent": "nonsense"}):
                assert (await client.post(url, json=question(1), headers=headers)).status_code == 200
            failed = await client.post(url, json=question(9), headers=SAMPLED)
            await client.get(f"http://127.0.0.1:{http}/v2/health/ready", headers=SAMPLED)
        async with grpc.aio.insecure_channel(f"127.0.0.1:{rpc}") as channel:
            infer: Any = channel.unary_unary("/inference.GRPCInferenceService/ModelInfer")
            await infer(message(), metadata=tuple(SAMPLED.items()))
        assert (answer.status_code, failed.status_code) == (200, 500)
        await worker.shadow.idle()
        await worker.drain()

    assert collector.services == {"headrace w-1"}
    assert {span.trace_id.hex() for span in collector.spans} == {TRACE}
    ok, broken, called = sorted(collector.named("infer m"), key=lambda span: span.start_time_unix_nano)
    for span in (ok, broken, called):
        assert (span.parent_span_id.hex(), span.trace_state) == (SPAN, "vendor=1")
    assert attributes(ok) == {
        "headrace.model": "m",
        "headrace.protocol": "http",
        "headrace.request_id": "r1",
        "headrace.version": 1,
        "headrace.role": "champion",
        "headrace.prediction_id": answer.headers["x-headrace-prediction-id"],
    }
    assert (attributes(broken)["error.type"], broken.status.code) == ("INTERNAL", 2)
    assert attributes(called)["headrace.protocol"] == "grpc"
    copies = collector.named("shadow m")
    assert {span.parent_span_id for span in copies} == {ok.span_id, called.span_id}
    assert {attributes(span)["headrace.version"] for span in copies} == {2}


async def test_clients_steer_what_every_worker_of_the_node_traces(
    lookup: bytes, written: Callable[..., VersionEntry], tmp_path: Path
) -> None:
    with collecting() as collector:
        tracing = Tracing(endpoint=collector.endpoint, sample_ratio=0.0)
        config = GatewayConfig(home=tmp_path, tracing=tracing)
        workers = [Worker(config, name, shared=tmp_path) for name in ("a", "b")]
        entry = written(lookup)
        routes = {name: ModelRoute(name, (entry,), 1, ((1, 100.0),)) for name in ("m", "n")}
        urls = []
        for worker in workers:
            await worker.routes.apply(RouteTable(1, routes))
            urls.append(f"http://127.0.0.1:{await worker.http.listen_tcp('127.0.0.1', 0)}/v2")
        rpc = await workers[0].grpc.start("127.0.0.1:0")
        async with httpx.AsyncClient() as client:
            wanted = {"trace_rate": "1", "trace_count": "3"}
            told = await client.post(f"{urls[0]}/models/m/trace/setting", json=wanted)
            assert (told.status_code, told.json()["trace_count"]) == (200, "3")
            workers[1].collect()
            assert (await client.get(f"{urls[1]}/models/m/trace/setting")).json() == told.json()
            assert (await client.get(f"{urls[1]}/trace/setting")).json()["trace_rate"] == "0"
            for model in ("m", "n"):
                for url in urls * 5:
                    await client.post(f"{url}/models/{model}/infer", json=question(1))
            async with grpc.aio.insecure_channel(f"127.0.0.1:{rpc}") as channel:
                call: Any = channel.unary_unary("/inference.GRPCInferenceService/TraceSetting")
                asked = pb.TraceSettingRequest(model_name="m").SerializeToString()
                seen = pb.TraceSettingResponse.FromString(await call(asked))
        for worker in workers:
            await worker.drain()
    assert {name: list(setting.value) for name, setting in seen.settings.items()} == {
        "trace_level": ["TIMESTAMPS"],
        "trace_rate": ["1"],
        "trace_count": ["0"],
        "trace_mode": ["opentelemetry"],
    }
    assert len(collector.named("infer m")) == 2 * 3
    assert collector.named("infer n") == []
