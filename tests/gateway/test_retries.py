"""What the edge sends again when a worker dies: inference, and nothing else."""

import asyncio
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from gateway.config import GatewayConfig
from gateway.server.edge.process import Edge
from gateway.server.run_dir import http_socket
from tests.gateway.exchange import Reply, exchange, post
from tests.gateway.node import config_of

ROOT = Path(__file__).parents[2]
HEALTHY = b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\nconnection: close\r\n\r\n"


@pytest.fixture
def config(tmp_path: Path) -> Iterator[GatewayConfig]:
    config = config_of(tmp_path)
    config.run_dir.mkdir()
    yield config
    shutil.rmtree(config.run_dir)


def post_once_up(config: GatewayConfig, path: str, data: bytes) -> Reply:
    """The answer, asked for once a health check has seen a worker."""
    while exchange(config.http_port, b"GET /v2/health/live HTTP/1.1\r\nhost: h\r\n\r\n").status == 503:
        time.sleep(0.05)
    return post(config.http_port, path, data)


async def died_with(config: GatewayConfig, path: str) -> tuple[int, int]:
    """(status, times it arrived) of a POST to workers that die of it, healthy as they look."""
    arrived = 0

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal arrived
        head = await reader.readuntil(b"\r\n\r\n")
        if head.startswith(b"POST"):
            arrived += 1
        else:
            writer.write(HEALTHY)
        writer.close()

    servers = [await asyncio.start_unix_server(serve, http_socket(config.run_dir, slot)) for slot in (0, 1)]
    edge = Edge(config)
    await edge.start()
    try:
        reply = await asyncio.to_thread(post_once_up, config, path, b"{}")
    finally:
        await edge.stop()
        for server in servers:
            server.close()
    return reply.status, arrived


@pytest.mark.parametrize("action", ["load", "unload"])
async def test_a_command_is_never_repeated(action: str, config: GatewayConfig) -> None:
    assert await died_with(config, f"/v2/repository/models/m/{action}") == (502, 1)


async def test_an_inference_is_repeated_but_not_for_ever(config: GatewayConfig) -> None:
    status, arrived = await died_with(config, "/v2/models/m/infer")
    assert status in (502, 503)  # by then HAProxy may have no worker left to try
    assert 1 < arrived <= 11


async def test_a_worker_that_answers_late_is_not_taken_for_dead(config: GatewayConfig) -> None:
    late = asyncio.Event()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        if late.is_set() and not head.startswith(b"POST"):
            await asyncio.sleep(1.2)  # more than two intervals of its checks
        writer.write(HEALTHY)
        writer.close()

    server = await asyncio.start_unix_server(serve, http_socket(config.run_dir, 0))
    edge = Edge(config)
    await edge.start()
    try:
        before = await asyncio.to_thread(post_once_up, config, "/v2/models/m/infer", b"{}")
        late.set()
        await asyncio.sleep(1.1)
        overloaded = await asyncio.to_thread(post, config.http_port, "/v2/models/m/infer", b"{}")
    finally:
        await edge.stop()
        server.close()
    assert (before.status, overloaded.status) == (200, 200)


Workers = list["subprocess.Popen[bytes]"]


@pytest.fixture
def workers(config: GatewayConfig, slow: bytes) -> Iterator[Workers]:
    """Two, each in a process of its own."""
    model = config.home / "slow.model"
    model.write_bytes(slow)
    command = [sys.executable, "-m", "tests.gateway.lone_worker", str(config.home)]
    workers = [
        subprocess.Popen([*command, str(slot), str(model)], stdout=subprocess.PIPE, cwd=ROOT)
        for slot in (0, 1)
    ]
    for worker in workers:
        assert worker.stdout
        assert worker.stdout.readline() == b"ready\n"
    yield workers
    for worker in workers:
        worker.kill()
        worker.communicate()


async def test_a_worker_killed_in_a_request_costs_none(config: GatewayConfig, workers: Workers) -> None:
    edge = Edge(config)
    await edge.start()
    try:
        replies = await _under_fire(config, workers[0])
    finally:
        await edge.stop()
    assert {reply.status for reply in replies} == {200}


async def _under_fire(config: GatewayConfig, victim: "subprocess.Popen[bytes]") -> list[Reply]:
    """The answers to many callers, while the victim is killed with requests of theirs in its hands."""
    question = b'{"inputs": [{"name": "x", "datatype": "FP32", "shape": [1, 256], "data": [%s]}]}' % (
        b"0," * 255 + b"0"
    )
    path = "/v2/models/slow/infer"
    await asyncio.to_thread(post_once_up, config, path, question)
    replies: list[Reply] = []

    async def caller() -> None:
        for _ in range(25):
            replies.append(await asyncio.to_thread(post, config.http_port, path, question))
            if len(replies) == 40:
                victim.kill()

    await asyncio.gather(*(caller() for _ in range(8)))
    return replies
