import asyncio
import importlib
import queue
from collections.abc import AsyncIterator
from typing import Any

import grpc
import grpc.aio
import numpy as np
import pytest
from grpc_health.v1 import health_pb2

from gateway.config import Limits
from gateway.core.types import InferRequest, InferResponse, Role
from gateway.errors import internal
from gateway.protocols import open_inference_pb2 as pb
from gateway.server.grpc.server import GrpcServer
from gateway.server.service import Service

triton: Any = importlib.import_module("tritonclient.grpc")
triton_error: Any = importlib.import_module("tritonclient.utils").InferenceServerException
reflected: Any = importlib.import_module("grpc_reflection.v1alpha.proto_reflection_descriptor_database")
SERVICE = "/inference.GRPCInferenceService/"


@pytest.fixture
async def service(engine: Any) -> Service:
    return Service(engine, Limits(max_body_mb=1, max_connections=20))


@pytest.fixture
async def server(service: Service) -> AsyncIterator[GrpcServer]:
    server = GrpcServer(service)
    yield server
    await server.stop(0)


@pytest.fixture
async def address(server: GrpcServer) -> str:
    return f"127.0.0.1:{await server.start('127.0.0.1:0')}"


@pytest.fixture
async def channel(address: str) -> AsyncIterator[grpc.aio.Channel]:
    async with grpc.aio.insecure_channel(address) as channel:
        yield channel


async def test_a_real_client(address: str, engine: Any) -> None:
    await asyncio.to_thread(_drive, address)
    assert all(seen.protocol == "grpc" for seen in engine.seen)


def _drive(address: str) -> None:
    with triton.InferenceServerClient(address) as client:
        assert client.is_server_live()
        assert client.is_server_ready()
        assert client.is_model_ready("pair")
        assert not client.is_model_ready("nobody")
        assert not client.is_model_ready("loading")
        assert client.get_server_metadata().name == "headrace"
        assert list(client.get_model_metadata("pair").versions) == ["1", "2"]
        config = client.get_model_config("pair").config
        assert (config.input[0].name, list(config.input[0].dims), config.max_batch_size) == ("a", [4], 64)
        assert {row.name for row in client.get_model_repository_index().models} >= {"pair", "loading"}
        a = np.arange(8, dtype=np.float32).reshape(2, 4)
        inputs = [triton.InferInput(name, [2, 4], "FP32") for name in "ab"]
        for tensor in inputs:
            tensor.set_data_from_numpy(a)
        result = client.infer("pair", inputs, request_id="7", client_timeout=5)
        np.testing.assert_array_equal(result.as_numpy("sum"), 2 * a)
        assert result.get_response().id == "7"
        only = [triton.InferRequestedOutput("sum", class_count=1)]
        top = client.infer("pair", inputs, model_version="2", outputs=only, compression_algorithm="gzip")
        assert top.as_numpy("sum").tolist() == [[b"6.000000:3"], [b"14.000000:3"]]
        assert client.get_inference_statistics("pair", "2").model_stats[0].inference_count == 2
        with pytest.raises(triton_error, match="NOT_FOUND"):
            client.infer("nobody", inputs)
        with pytest.raises(triton_error, match=r"UNAVAILABLE.*control is off"):
            client.load_model("pair")
        _drive_stream(client, inputs, 2 * a)


def _drive_stream(client: Any, inputs: list[Any], expected: Any) -> None:
    answers: queue.Queue[tuple[Any, Any]] = queue.Queue()
    client.start_stream(lambda result, error: answers.put((result, error)))
    models = ["pair", "nobody", "pair"]
    for number, model in enumerate(models):
        client.async_stream_infer(model, inputs, request_id=str(number))
    got = [answers.get(timeout=10) for _ in models]
    client.stop_stream()
    assert [result.get_response().id for result, _ in (got[0], got[2])] == ["0", "2"]
    np.testing.assert_array_equal(got[2][0].as_numpy("sum"), expected)
    assert "nobody" in str(got[1][1])
    assert got[0][0].get_response().parameters["headrace_prediction_id"].string_param == "p-4"


async def test_a_failure_of_ours_is_told_in_the_stream_which_goes_on(
    channel: Any, engine: Any, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    lone_surrogate = {"sum": np.array(["\ud800"], object)}  # which no bytes can carry

    async def infer(request: InferRequest) -> InferResponse:
        monkeypatch.undo()
        return InferResponse("pair", 1, Role.CHAMPION, lone_surrogate, request.id, "p")

    monkeypatch.setattr(engine, "infer", infer)
    asked = [b"\xff rubbish"]
    for number, model in enumerate(["pair", "broken", "pair"]):
        each = message(model)
        each.id = str(number)
        asked.append(each.SerializeToString())
    stream = channel.stream_stream(SERVICE + "ModelStreamInfer")(iter(asked))
    told = [pb.ModelStreamInferResponse.FromString(data) async for data in stream]
    assert [answer.infer_response.id for answer in told] == ["", "0", "1", "2"]
    assert told[1].error_message == told[2].error_message == internal().message
    assert not told[3].error_message
    assert [record.message for record in caplog.records] == ["a call failed", "an inference failed"]


async def test_no_call_of_a_burst_is_cancelled(address: str) -> None:
    with grpc.insecure_channel(address) as channel:
        call: grpc.UnaryUnaryMultiCallable[bytes, bytes] = channel.unary_unary(f"{SERVICE}ServerLive")
        burst = [call.future(b"", timeout=60) for _ in range(4000)]  # the server's loop stands still
        codes = await asyncio.to_thread(lambda: {asked.code() for asked in burst})
    assert codes == {grpc.StatusCode.OK}


async def test_under_pressure_inference_is_refused_and_health_is_not(channel: Any, service: Service) -> None:
    for _ in range(3):
        service.pressure.observe(1.0)
    asked = message("pair").SerializeToString()
    with pytest.raises(grpc.aio.AioRpcError) as refused:
        await channel.unary_unary(SERVICE + "ModelInfer")(asked)
    assert refused.value.code() is grpc.StatusCode.RESOURCE_EXHAUSTED
    assert refused.value.trailing_metadata()["grpc-retry-pushback-ms"] == "1000"
    stream = channel.stream_stream(SERVICE + "ModelStreamInfer")(iter([asked]))
    (told,) = [pb.ModelStreamInferResponse.FromString(data) async for data in stream]
    assert "more requests than it can answer" in told.error_message
    assert pb.ServerReadyResponse.FromString(await channel.unary_unary(SERVICE + "ServerReady")(b"")).ready
    service.pressure.observe(0.0)
    assert await channel.unary_unary(SERVICE + "ModelInfer")(asked)
    assert service.pressure.refused == 2


def message(model: str) -> pb.ModelInferRequest:
    request = pb.ModelInferRequest(model_name=model)
    for name in "ab":
        request.inputs.add(name=name, datatype="FP32", shape=[1, 4])
        request.inputs[-1].contents.fp32_contents.extend([1, 2, 3, 4])
    return request


FAULTS: dict[str, tuple[str, bytes, grpc.StatusCode]] = {
    "garbage": ("ModelInfer", b"\xff\xff rubbish", grpc.StatusCode.INVALID_ARGUMENT),
    "garbage elsewhere": ("ModelConfig", b"\xff\xff rubbish", grpc.StatusCode.INVALID_ARGUMENT),
    "over the cap": ("ModelInfer", b"\0" * (2**20 + 1), grpc.StatusCode.RESOURCE_EXHAUSTED),
    "unknown method": ("ModelDance", b"", grpc.StatusCode.UNIMPLEMENTED),
    "unknown model": ("ModelMetadata", b"\x0a\x06nobody", grpc.StatusCode.NOT_FOUND),
    "loading": ("ModelInfer", message("loading").SerializeToString(), grpc.StatusCode.UNAVAILABLE),
    "overload": ("ModelInfer", message("busy").SerializeToString(), grpc.StatusCode.RESOURCE_EXHAUSTED),
    "ours": ("ModelInfer", message("broken").SerializeToString(), grpc.StatusCode.INTERNAL),
}


@pytest.mark.parametrize("name", FAULTS)
async def test_faults(name: str, channel: Any) -> None:
    method, data, code = FAULTS[name]
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await channel.unary_unary(SERVICE + method)(data)
    assert caught.value.code() is code
    told = dict(caught.value.trailing_metadata() or ())
    assert ("grpc-retry-pushback-ms" in told) == (name in ("loading", "overload"))
    assert "/srv" not in (caught.value.details() or "")


async def test_an_answer_names_the_version_and_prediction_in_metadata(channel: Any, engine: Any) -> None:
    call = channel.unary_unary(SERVICE + "ModelInfer")(
        message("pair").SerializeToString(), metadata=(("x-headrace-key", "alice"),), timeout=5
    )
    await call
    metadata = dict(await call.initial_metadata())
    assert (metadata["x-headrace-version"], metadata["x-headrace-prediction-id"]) == ("1", "p-1")
    assert engine.seen[0].key == "alice"
    assert engine.seen[0].deadline_ns > 0


async def test_a_cancelled_call_ends_its_inference(channel: Any, engine: Any) -> None:
    call = channel.unary_unary(SERVICE + "ModelInfer")(message("slow").SerializeToString())
    await engine.arrived.wait()
    call.cancel()
    await asyncio.wait_for(engine.ended.wait(), 30)
    assert engine.cancelled == 1


async def test_health(channel: Any) -> None:
    check = channel.unary_unary("/grpc.health.v1.Health/Check")
    for service in ("", "inference.GRPCInferenceService"):
        asked = health_pb2.HealthCheckRequest(service=service)
        answer = health_pb2.HealthCheckResponse.FromString(await check(asked.SerializeToString()))
        assert answer.status == health_pb2.HealthCheckResponse.SERVING


async def test_one_that_leaves_says_so_and_still_answers(channel: Any, server: GrpcServer) -> None:
    await server.leave()
    ready = await channel.unary_unary(SERVICE + "ServerReady")(b"")
    assert not pb.ServerReadyResponse.FromString(ready).ready
    health = await channel.unary_unary("/grpc.health.v1.Health/Check")(b"")
    assert (
        health_pb2.HealthCheckResponse.FromString(health).status == health_pb2.HealthCheckResponse.NOT_SERVING
    )
    assert await channel.unary_unary(SERVICE + "ModelInfer")(message("pair").SerializeToString())


async def test_reflection_describes_every_service(address: str) -> None:
    def reflect() -> tuple[list[str], list[str]]:
        with grpc.insecure_channel(address) as channel:
            known = reflected.ProtoReflectionDescriptorDatabase(channel)
            file = known.FindFileContainingSymbol("inference.GRPCInferenceService")
            return list(known.get_services()), [method.name for method in file.service[0].method]

    services, methods = await asyncio.to_thread(reflect)
    assert set(services) == {
        "inference.GRPCInferenceService",
        "grpc.health.v1.Health",
        "grpc.reflection.v1alpha.ServerReflection",
    }
    assert len(methods) == 14
