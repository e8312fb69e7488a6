"""Keys at a real worker: numbers 47 to 51 and 53 of `docs/input.md`, over HTTP and both ways of gRPC."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import grpc
import httpx
import numpy as np
import pytest

from gateway.config import GatewayConfig
from gateway.core.keys import SUBJECT, Key, Keyring, KeyRole, digest, subject_digest
from gateway.core.routing import ModelRoute, RouteTable
from gateway.core.throttle import ALLOWED
from gateway.errors import ErrorCode, GatewayError
from gateway.protocols import open_inference_pb2 as pb
from gateway.protocols.grpc_frame import prefix
from gateway.server.gate import Gate
from gateway.server.http.grpc_lane import INFER
from gateway.worker import Worker
from tests.gateway.conftest import Write

KEYS = (
    Key("caller", digest("infers"), KeyRole.INFERENCE, ("fraud",)),
    Key("looker", digest("views"), KeyRole.VIEWER),
    Key("boss", digest("rules"), KeyRole.ADMIN),
    Key("past", digest("expired"), KeyRole.ADMIN, expires_at=1.0),
)
BODY = {"inputs": [{"name": "x", "shape": [1, 30], "datatype": "FP32", "data": [0.5] * 30}]}


INFERS = {b"authorization": b"Bearer infers"}


def bearer(secret: str) -> dict[str, str]:
    return {"authorization": f"Bearer {secret}"}


@dataclass(frozen=True, slots=True)
class Guarded:
    worker: Worker
    table: RouteTable
    http: httpx.AsyncClient
    grpc: str

    async def infer(self, headers: dict[str, str], model: str = "fraud") -> httpx.Response:
        return await self.http.post(f"/v2/models/{model}/infer", json=BODY, headers=headers)


@pytest.fixture
async def guarded(tmp_path: Path, logistic: bytes, written: Write) -> AsyncIterator[Guarded]:
    """A worker with identity on that serves `fraud` and `other`."""
    entry = written(logistic)
    routes = {
        name: ModelRoute(name, (entry,), champion=1, weights=((1, 100.0),)) for name in ("fraud", "other")
    }
    table = RouteTable(1, routes, Keyring(KEYS))
    worker = Worker(GatewayConfig(home=tmp_path, keys="required"), "w")
    await worker.apply(table)
    port = await worker.http.listen_tcp("127.0.0.1", 0)
    grpc_port = await worker.grpc.start("127.0.0.1:0")
    async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}", trust_env=False) as http:
        yield Guarded(worker, table, http, f"127.0.0.1:{grpc_port}")
    await worker.drain()


@pytest.mark.parametrize(
    "headers", [{}, bearer("wrong"), bearer("expired"), {"authorization": "Basic infers"}]
)
async def test_47_no_or_a_bad_key(guarded: Guarded, headers: dict[str, str]) -> None:
    answer = await guarded.infer(headers)
    assert (answer.status_code, answer.headers["www-authenticate"]) == (401, "Bearer")
    assert len(answer.content) < 1024
    assert (await guarded.infer(bearer("infers"))).status_code == 200


@pytest.mark.parametrize("headers", [bearer("infers"), {"x-api-key": "infers"}, bearer("rules")])
async def test_a_good_key(guarded: Guarded, headers: dict[str, str]) -> None:
    answer = await guarded.infer(headers)
    assert (answer.status_code, answer.headers["x-headrace-version"]) == (200, "1")


async def test_one_callers_key_is_not_the_next_ones(guarded: Guarded) -> None:
    # One connection, as a balancer uses it for many clients.
    codes = [
        (await guarded.infer(headers)).status_code for headers in (bearer("infers"), {}, bearer("rules"))
    ]
    assert codes == [200, 401, 200]


async def test_48_a_lesser_role(guarded: Guarded) -> None:
    assert (await guarded.infer(bearer("views"))).status_code == 403
    assert (await guarded.http.get("/v2/models/fraud", headers=bearer("views"))).status_code == 200


async def test_49_a_revoked_key_with_the_next_table(guarded: Guarded) -> None:
    assert (await guarded.infer(bearer("infers"))).status_code == 200
    await guarded.worker.apply(replace(guarded.table, generation=2, keys=Keyring(KEYS[1:])))
    assert (await guarded.infer(bearer("infers"))).status_code == 401


def test_49_older_keys_never_come_back() -> None:
    gate = Gate()
    gate.take(2, Keyring(KEYS[1:]))
    gate.take(1, Keyring(KEYS))
    with pytest.raises(GatewayError, match="revoked"):
        gate.caller(INFERS)


def test_49_a_key_expires_by_itself() -> None:
    gate = Gate()
    soon = time.time() + 0.05
    gate.take(1, Keyring((replace(KEYS[0], expires_at=soon),)))
    assert gate.caller(INFERS).name == "caller"
    while time.time() < soon:
        pass
    with pytest.raises(GatewayError, match="expired"):
        gate.caller(INFERS)


def test_before_the_first_table_nobody_passes() -> None:
    with pytest.raises(GatewayError) as refused:
        Gate().caller({b"authorization": b"Bearer rules"})
    assert refused.value.code is ErrorCode.UNAUTHENTICATED


async def test_50_many_bad_keys(guarded: Guarded) -> None:
    guess = bearer("guess") | {"x-forwarded-for": "10.0.0.9"}
    codes = [(await guarded.infer(guess)).status_code for _ in range(ALLOWED + 1)]
    assert codes == [401] * ALLOWED + [429]
    assert (await guarded.infer(bearer("guess") | {"x-forwarded-for": "10.0.0.8"})).status_code == 401
    assert (await guarded.infer(bearer("infers") | {"x-forwarded-for": "10.0.0.9"})).status_code == 200


async def test_51_another_tenants_model_does_not_exist(guarded: Guarded) -> None:
    forbidden, unknown = [await guarded.infer(bearer("infers"), model) for model in ("other", "none")]
    assert (forbidden.status_code, unknown.status_code) == (404, 404)
    assert forbidden.text.replace("other", "none") == unknown.text
    for path in ("/v2/models/other", "/v2/models/other/config", "/v2/models/other/stats"):
        assert (await guarded.http.get(path, headers=bearer("infers"))).status_code == 404
    index = await guarded.http.post("/v2/repository/index", headers=bearer("infers"))
    assert [row["name"] for row in index.json()] == ["fraud"]
    stats = await guarded.http.get("/v2/models/stats", headers=bearer("infers"))
    assert "other" not in stats.text


async def test_53_only_health_is_open(guarded: Guarded) -> None:
    for path in ("/v2", "/v2/models/fraud", "/v2/models/stats", "/metrics"):
        assert (await guarded.http.get(path)).status_code == 401
    for path in ("/v2/health/live", "/v2/health/ready"):
        assert (await guarded.http.get(path)).status_code == 200
    assert (await guarded.http.get("/metrics", headers=bearer("infers"))).status_code == 403
    assert (await guarded.http.get("/metrics", headers=bearer("views"))).status_code == 200


def _message(model: str = "fraud") -> pb.ModelInferRequest:
    message = pb.ModelInferRequest(model_name=model)
    message.inputs.add(name="x", datatype="FP32", shape=[1, 30])
    message.raw_input_contents.append(np.ones((1, 30), np.float32).tobytes())
    return message


GRPC: list[tuple[dict[str, str], str, int]] = [
    ({}, "fraud", 16),
    (bearer("wrong"), "fraud", 16),
    (bearer("views"), "fraud", 7),
    (bearer("infers"), "other", 5),
    (bearer("infers"), "fraud", 0),
]


@pytest.mark.parametrize(("headers", "model", "status"), GRPC)
async def test_the_fast_lane(guarded: Guarded, headers: dict[str, str], model: str, status: int) -> None:
    async with asyncio.timeout(10):
        reader, writer = await asyncio.open_connection(guarded.http.base_url.host, guarded.http.base_url.port)
        message = _message(model).SerializeToString()
        content = prefix(len(message)) + message
        lines = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
        head = f"content-type: application/grpc\r\ncontent-length: {len(content)}\r\n{lines}connection: close"
        writer.write(f"POST {INFER.decode()} HTTP/1.1\r\nhost: h\r\n{head}\r\n\r\n".encode() + content)
        answer = await reader.read()
        writer.close()
    assert f"grpc-status: {status}\r\n".encode() in answer


@pytest.mark.parametrize(("headers", "model", "status"), GRPC)
async def test_the_full_server(guarded: Guarded, headers: dict[str, str], model: str, status: int) -> None:
    metadata = tuple(headers.items())
    async with grpc.aio.insecure_channel(guarded.grpc) as channel:
        infer: Any = channel.unary_unary(INFER.decode())
        stream: Any = channel.stream_stream(INFER.decode().replace("ModelInfer", "ModelStreamInfer"))
        data = _message(model).SerializeToString()
        assert await _code(lambda: infer(data, metadata=metadata)) == status
        call = stream(iter([data]), metadata=metadata)
        if status == 16:
            assert await _code(call.read) == status
        else:
            reply = pb.ModelStreamInferResponse.FromString(await call.read())
            assert bool(reply.error_message) is bool(status)


async def _code(call: Callable[[], Any]) -> int:
    try:
        await call()
    except grpc.aio.AioRpcError as error:
        number: int = error.code().value[0]
        return number
    return 0


async def test_metadata_over_grpc_is_scoped(guarded: Guarded) -> None:
    async with grpc.aio.insecure_channel(guarded.grpc) as channel:
        service = INFER.decode().removesuffix("ModelInfer")
        show: Any = channel.unary_unary(service + "ModelMetadata")
        live: Any = channel.unary_unary(service + "ServerLive")
        infers = tuple(bearer("infers").items())
        for name, metadata, status in (("fraud", infers, 0), ("other", infers, 5), ("fraud", (), 16)):
            data = pb.ModelMetadataRequest(name=name).SerializeToString()
            assert await _code(partial(show, data, metadata=metadata)) == status
        assert await _code(lambda: live(b"")) == 0


async def test_a_workers_settings_take_an_admin(guarded: Guarded) -> None:
    for secret, status in (("views", 403), ("infers", 403), ("rules", 200)):
        for path in ("/v2/logging", "/v2/trace/setting"):
            answer = await guarded.http.post(path, json={}, headers=bearer(secret))
            # An admin is told that there is no tracing to be set.
            assert answer.status_code == (503 if (path, status) == ("/v2/trace/setting", 200) else status)
            assert (await guarded.http.get(path, headers=bearer(secret))).status_code == 200
    level = pb.LogSettingsRequest.SettingValue(bool_param=True)
    log = pb.LogSettingsRequest(settings={"log_error": level}).SerializeToString()
    rate = pb.TraceSettingRequest.SettingValue(value=["1"])
    trace = pb.TraceSettingRequest(settings={"trace_rate": rate}).SerializeToString()
    async with grpc.aio.insecure_channel(guarded.grpc) as channel:
        for method, change, done in (("LogSettings", log, 0), ("TraceSetting", trace, 14)):
            call: Any = channel.unary_unary(INFER.decode().replace("ModelInfer", method))
            for secret, data, status in (("views", change, 7), ("views", b"", 0), ("rules", change, done)):
                assert await _code(partial(call, data, metadata=tuple(bearer(secret).items()))) == status


SHOWN = SUBJECT.encode()
SHOP = Key("shop", subject_digest("CN=shop"), KeyRole.INFERENCE, subject="CN=shop")


def test_a_certificate_stands_for_its_key_where_the_edge_verifies_it() -> None:
    gate = Gate(certificates=True)
    gate.take(1, Keyring((SHOP,)))
    assert gate.caller({SHOWN: b"CN=shop"}) == SHOP
    for subject in ("", "CN=Shop", "CN=shop,O=Acme", SHOP.digest):
        with pytest.raises(GatewayError):
            gate.caller({SHOWN: subject.encode()})
    gate.take(2, Keyring(()))
    with pytest.raises(GatewayError, match="no key stands for the certificate 'CN=shop'"):
        gate.caller({SHOWN: b"CN=shop"})


def test_a_bad_key_is_not_made_good_by_a_certificate() -> None:
    gate = Gate(certificates=True)
    gate.take(1, Keyring((SHOP,)))
    with pytest.raises(GatewayError):
        gate.caller({b"authorization": b"Bearer guess", SHOWN: b"CN=shop"})


def test_nobody_elses_word_on_a_certificate_is_taken() -> None:
    gate = Gate()
    gate.take(1, Keyring((SHOP,)))
    for more in (
        {},
        {b"authorization": b"Bearer CN=shop"},
        {b"x-api-key": b"CN=shop"},
        {b"x-api-key": SHOP.digest.encode()},
    ):
        with pytest.raises(GatewayError):
            gate.caller({SHOWN: b"CN=shop"} | more)
