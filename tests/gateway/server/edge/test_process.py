"""A real HAProxy in front of a listener: started, kept alive, stopped."""

import asyncio
import contextlib
import csv
import shutil
import socket
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from gateway.config import GatewayConfig, Limits
from gateway.server.edge.process import Edge, _binary
from gateway.server.grpc.server import GrpcServer
from gateway.server.http.listener import HttpListener
from gateway.server.run_dir import grpc_socket, http_socket, stats_socket
from gateway.server.service import Service
from lifecycle.client import AsyncClient
from lifecycle.errors import LifecycleCode, LifecycleError
from tests.gateway.node import haproxy
from tests.gateway.server.conftest import NumpyEngine
from tests.ports import free_port


@pytest.fixture
def config(tmp_path: Path) -> Iterator[GatewayConfig]:
    http, grpc, admin = free_port(), free_port(), free_port()
    config = GatewayConfig(home=tmp_path, http_port=http, grpc_port=grpc, admin_port=admin, workers=1)
    config.run_dir.mkdir()
    yield config
    shutil.rmtree(config.run_dir)


async def infer(config: GatewayConfig) -> int:
    """The status of a request through the edge; a refused connection is tried again for seconds."""
    transport = httpx.AsyncHTTPTransport(retries=5)
    async with httpx.AsyncClient(transport=transport) as client:
        question = {"inputs": [{"name": "x", "datatype": "FP32", "shape": [1, 4], "data": [1, 2, 3, 4]}]}
        url = f"http://127.0.0.1:{config.http_port}/v2/models/one/infer"
        return (await client.post(url, json=question)).status_code


async def test_requests_reach_a_worker_even_after_the_edge_was_killed(
    config: GatewayConfig, listener: HttpListener
) -> None:
    await listener.listen_unix(http_socket(config.run_dir, 0))
    edge = Edge(config)
    await edge.start()
    try:
        assert await infer(config) == 200
        (first,) = haproxy(config)
        first.kill()
        assert await infer(config) == 200
        assert haproxy(config) != [first]
    finally:
        await edge.stop()
    assert haproxy(config) == []


async def test_commands_are_told_that_the_controller_is_away(config: GatewayConfig) -> None:
    edge = Edge(config)
    await edge.start()
    try:
        async with AsyncClient(f"http://127.0.0.1:{config.admin_port}") as client:
            with pytest.raises(LifecycleError, match="the controller is away for a moment") as told:
                await client.status()
    finally:
        await edge.stop()
    assert told.value.code is LifecycleCode.UNAVAILABLE


async def test_an_edge_that_cannot_start_again_is_started_once_it_can(
    config: GatewayConfig,
    listener: HttpListener,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    tried = asyncio.Event()

    def missing() -> str:
        tried.set()
        return "/no/such/program"

    await listener.listen_unix(http_socket(config.run_dir, 0))
    edge = Edge(config)
    await edge.start()
    try:
        with monkeypatch.context() as broken:
            broken.setattr("gateway.server.edge.process._binary", missing)
            (first,) = haproxy(config)
            first.kill()
            await tried.wait()
        assert await infer(config) == 200
    finally:
        await edge.stop()


async def test_many_idle_clients_leave_connections_to_workers_in_use(
    config: GatewayConfig, listener: HttpListener
) -> None:
    few = config.limits.model_copy(update={"max_connections": 200})
    config = config.model_copy(update={"limits": few})
    await listener.listen_unix(http_socket(config.run_dir, 0))
    edge = Edge(config)
    await edge.start()
    try:
        with contextlib.ExitStack() as idle:
            for _ in range(180):
                idle.enter_context(socket.create_connection(("127.0.0.1", config.http_port)))
            for _ in range(20):
                assert await infer(config) == 200
            assert reused(config) >= 19
    finally:
        await edge.stop()


def reused(config: GatewayConfig) -> int:
    """Requests for which the edge had a connection to the first worker already."""
    with socket.socket(socket.AF_UNIX) as asked:
        asked.connect(str(stats_socket(config.run_dir)))
        asked.sendall(b"show stat\n")
        told = asked.makefile().read().removeprefix("# ")
    (worker,) = (row for row in csv.DictReader(told.splitlines()) if row["svname"] == "w0")
    return int(worker["reuse"])


async def test_a_call_that_grpcio_would_drop_is_answered(
    config: GatewayConfig, listener: HttpListener, engine: NumpyEngine
) -> None:
    await listener.listen_unix(http_socket(config.run_dir, 0))
    server, edge = GrpcServer(Service(engine, Limits())), Edge(config)
    await server.start(f"unix:{grpc_socket(config.run_dir, 0)}")
    await edge.start()
    url = f"http://127.0.0.1:{config.grpc_port}/inference.GRPCInferenceService/ServerLive"
    kind = {"content-type": "application/grpc"}  # and no `te: trailers`
    try:
        async with httpx.AsyncClient(transport=httpx.AsyncHTTPTransport(retries=5)) as client:
            called = await client.post(url, headers=kind, content=bytes(5))
            asked = await client.get(url, headers=kind)
    finally:
        await edge.stop()
        await server.stop(0)
    assert (called.status_code, called.content) == (200, b"\0\0\0\0\2\x08\1")
    assert (asked.status_code, asked.headers["grpc-status"]) == (200, "12")


@pytest.mark.parametrize("late_s", [0, 1])
async def test_a_taken_port_is_said_however_late_it_is_found(
    config: GatewayConfig, late_s: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    late = config.home / "late"
    late.write_text(f'#!/bin/sh\nsleep {late_s}\nexec {_binary()} "$@"\n')
    late.chmod(0o755)
    monkeypatch.setattr("gateway.server.edge.process._binary", lambda: str(late))
    with socket.socket() as taken:
        # As another node's listener would be; sharing it would send callers to either.
        taken.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        taken.bind(("127.0.0.1", config.http_port))
        taken.listen()
        with pytest.raises(RuntimeError, match=r"HAProxy did not start.*Address already in use"):
            await Edge(config).start()
    assert haproxy(config) == []


async def test_a_refused_configuration_is_quoted(config: GatewayConfig) -> None:
    wrong = config.model_copy(update={"host": "no such host"})
    with pytest.raises(RuntimeError, match=r"(?s)HAProxy refuses its configuration.*missing port"):
        await Edge(wrong).start()
