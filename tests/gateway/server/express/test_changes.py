"""What changes for the express lane holds with the next request: tables, shares, keys, versions."""

import numpy as np
import pytest
from onnx import TensorProto

from gateway.core.keys import NO_KEYS, Key, Keyring, KeyRole, digest
from gateway.core.routing import RouteTable
from gateway.core.types import Role
from gateway.ports import Bindable
from tests.gateway.conftest import Write
from tests.gateway.server.express.bodies import BODY, rows
from tests.gateway.server.express.conftest import Start
from tests.gateway.server.express.graphs import copies, noise
from tests.gateway.server.express.line import Line, infer, route


async def test_a_split_has_its_exact_share(start: Start, logistic: bytes, written: Write) -> None:
    entries = written(logistic), written(logistic, version=2)
    line = await start(route("m", *entries, weights=(90.0, 10.0)))
    for _ in range(60):  # until the canary has had its turns
        line.ask(infer("m", BODY))
    line.seen()
    before = line.usual
    for _ in range(2000):
        line.ask(infer("m", BODY))
    assert line.usual == before
    windows, _ = line.seen()
    assert {window.role: window.requests for window in windows} == {
        Role.CHAMPION: pytest.approx(1800, abs=4),
        Role.CANARY: pytest.approx(200, abs=4),
    }


async def test_a_canary_that_cannot_be_learnt_keeps_its_share(start: Start, written: Write) -> None:
    entries = written(copies("copy", TensorProto.FLOAT)), written(noise(), version=2)
    line = await start(route("m", *entries, weights=(90.0, 10.0)))
    for _ in range(2000):
        line.ask(infer("m", rows([[1, 2, 3]])))
    windows, _ = line.seen()
    assert {window.role: window.requests for window in windows} == {
        Role.CHAMPION: pytest.approx(1800, abs=4),
        Role.CANARY: pytest.approx(200, abs=4),
    }
    assert line.usual < 300


async def test_a_new_table_holds_at_once(start: Start, logistic: bytes, written: Write) -> None:
    entries = written(logistic), written(logistic, version=2)
    line = await start(route("m", *entries))
    line.taught(infer("m", BODY))
    await line.worker.apply(RouteTable(2, {"m": route("m", entries[1])}))
    assert b"x-headrace-version: 2\r\n" in line.ask(infer("m", BODY))
    await line.worker.apply(RouteTable(3, {}))
    assert b"404 Not Found" in line.ask(infer("m", BODY))


async def test_a_raw_body_goes_on_when_its_input_has_another_name(
    start: Start, written: Write, caplog: pytest.LogCaptureFixture
) -> None:
    entries = (
        written(copies("copy", TensorProto.FLOAT)),
        written(copies("copy", TensorProto.FLOAT, takes="z"), version=2),
    )
    line = await start(route("m", entries[0]))
    raw = infer("m", np.arange(3, dtype=np.float32).tobytes(), "inference-header-content-length: 0")
    line.taught(raw)
    assert line.goes_express(raw)
    await line.worker.apply(RouteTable(2, {"m": route("m", entries[1])}))
    assert b"x-headrace-version: 2\r\n" in line.taught(raw)
    assert not caplog.records


async def test_a_revoked_key_is_refused_at_once(start: Start, logistic: bytes, written: Write) -> None:
    line = await start(route("m", written(logistic)), keys="required")
    key = Key("anna", digest("secret"), KeyRole.INFERENCE)
    line.worker.take_keys(1, Keyring((key,)))
    asked = infer("m", BODY, "authorization: Bearer secret")
    line.taught(asked)
    assert line.goes_express(asked)
    line.worker.take_keys(2, NO_KEYS)
    assert b"401 Unauthorized" in line.ask(asked)
    assert b"401 Unauthorized" in line.ask(infer("m", BODY))


async def test_a_worker_that_leaves_ends_its_connections(lines: tuple[Line, Line]) -> None:
    express, _ = lines
    await express.worker.leave()
    assert b"connection: close" in express.ask(infer("m", BODY))


async def test_a_version_that_is_let_go_takes_its_plans_along(
    start: Start, logistic: bytes, written: Write
) -> None:
    entries = written(logistic), written(logistic, version=2)
    line = await start(route("m", entries[0]))
    line.taught(infer("m", BODY))
    held = line.worker.routes.loaded("m", 1)
    assert held is not None
    await line.worker.apply(RouteTable(2, {"m": route("m", entries[1])}))
    line.taught(infer("m", BODY))
    assert line.worker.routes.loaded("m", 1) is None
    assert line.goes_express(infer("m", BODY))
    assert b"x-headrace-version: 2\r\n" in line.ask(infer("m", BODY))


async def test_plans_of_a_version_that_left_memory_are_gone(
    start: Start, logistic: bytes, written: Write
) -> None:
    line = await start(route("m", written(logistic)))
    line.taught(infer("m", BODY))
    version = line.worker.routes.loaded("m", 1)
    assert isinstance(version, Bindable)
    plans = version.plans
    assert plans
    line.worker.residence.let_go({("m", 1)})
    assert not plans, "they hold the session, and the lane holds them"
    assert not line.goes_express(infer("m", BODY))
