"""Who of the node's other workers answers, and what becomes of those that do not."""

import asyncio
from pathlib import Path

import pytest

from gateway.server import neighbours
from gateway.server.neighbours import Neighbours
from gateway.server.run_dir import http_socket


async def listening(run_dir: Path, slot: int, answer: bytes, seen: list[bytes]) -> asyncio.Server:
    """A worker that says `answer` to whatever it is asked, and hangs if there is none."""

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        seen.append(await reader.readuntil(b"\r\n\r\n"))
        writer.write(answer)
        if not answer:
            await reader.read()
        writer.close()

    return await asyncio.start_unix_server(talk, http_socket(run_dir, slot))


async def test_only_whole_answers_of_others_count(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(neighbours, "_PATIENCE_S", 0.3)
    answers = {
        0: b"HTTP/1.1 200 OK\r\ncontent-length: 3\r\n\r\nown",
        1: b"HTTP/1.1 200 OK\r\ncontent-type: a\r\ncontent-length: 3\r\nconnection: close\r\n\r\none",
        2: b"HTTP/1.1 200 OK\r\ncontent-length: 3\r\n\r\ntw",
        3: b"HTTP/1.1 404 Not Found\r\ncontent-length: 5\r\n\r\nthree",
        4: b"",
    }
    seen: list[bytes] = []
    servers = [await listening(tmp_path, slot, answer, seen) for slot, answer in answers.items()]
    http_socket(tmp_path, 5).touch()  # left by a worker that was killed
    assert await Neighbours(tmp_path, slots=8, own=0).get("/v2/x", {b"x-api-key": b"k"}) == [b"one"]
    assert len(seen) == 4
    assert set(seen) == {b"GET /v2/x HTTP/1.1\r\nhost: worker\r\nconnection: close\r\nx-api-key: k\r\n\r\n"}
    for server in servers:
        server.close()
