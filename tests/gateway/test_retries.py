"""What the edge sends again when a worker dies: inference, and nothing else."""

import asyncio
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from gateway.config import GatewayConfig
from gateway.server.edge import Edge
from gateway.server.haproxy import http_socket
from tests.gateway.node import config_of
from tests.gateway.test_input import Reply, post

LONE_WORKER = Path(__file__).with_name("lone_worker.py")
HEALTHY = b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\nconnection: close\r\n\r\n"


@pytest.fixture
def config(tmp_path: Path) -> Iterator[GatewayConfig]:
    config = config_of(tmp_path)
    config.run_dir.mkdir()
    yield config
    shutil.rmtree(config.run_dir)


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
        while (reply := await asyncio.to_thread(post, config.http_port, path, b"{}")).status == 503:
            await asyncio.sleep(0.05)  # not yet seen by a health check
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
    assert (status, arrived) == (502, 4)


async def test_a_worker_killed_in_a_request_costs_none(config: GatewayConfig, slow: bytes) -> None:
    (config.home / "slow.model").write_bytes(slow)
    workers = [
        subprocess.Popen(
            [sys.executable, "-m", "tests.gateway.lone_worker", config.home, str(slot), config.home / "slow.model"],
            stdout=subprocess.PIPE,
            cwd=LONE_WORKER.parents[2],
        )
        for slot in (0, 1)
    ]
    edge = Edge(config)
    try:
        for worker in workers:
            assert worker.stdout
            assert await asyncio.to_thread(worker.stdout.readline) == b"ready\n"
        await edge.start()
        replies = await _under_fire(config, workers[0])
    finally:
        await edge.stop()
        for worker in workers:
            worker.kill()
            worker.communicate()
    assert {reply.status for reply in replies} == {200}


async def _under_fire(config: GatewayConfig, victim: "subprocess.Popen[bytes]") -> list[Reply]:
    """The answers to many callers, while the victim is killed with requests of theirs in its hands."""
    question = b'{"inputs": [{"name": "x", "datatype": "FP32", "shape": [1, 256], "data": [%s]}]}' % (
        b"0," * 255 + b"0"
    )
    path = "/v2/models/slow/infer"
    while (await asyncio.to_thread(post, config.http_port, path, question)).status == 503:
        await asyncio.sleep(0.05)  # not yet seen by a health check
    replies: list[Reply] = []

    async def caller() -> None:
        for _ in range(25):
            replies.append(await asyncio.to_thread(post, config.http_port, path, question))
            if len(replies) == 40:
                victim.kill()

    await asyncio.gather(*(caller() for _ in range(8)))
    return replies
