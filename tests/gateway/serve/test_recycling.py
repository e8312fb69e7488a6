"""A worker that has grown goes when the others answer, and no two go at once."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from gateway.serve.recycling import Recycling
from gateway.server.neighbours import Neighbours
from gateway.server.run_dir import http_socket

LITTLE_MB, MUCH_MB = 1, 1_000_000


def worker(run_dir: Path, slot: int, above_mb: int = LITTLE_MB) -> Recycling:
    return Recycling(run_dir, Neighbours(run_dir, slots=4, own=slot), others=1, above_mb=above_mb)


async def answering(run_dir: Path, slot: int) -> asyncio.Server:
    """Whoever is ready in a slot."""

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n")
        writer.close()

    return await asyncio.start_unix_server(answer, http_socket(run_dir, slot))


@pytest.fixture
async def neighbour(tmp_path: Path) -> AsyncIterator[asyncio.Server]:
    """Of slot 1."""
    server = await answering(tmp_path, 1)
    yield server
    server.close()


async def test_only_one_that_has_grown_goes(tmp_path: Path, neighbour: asyncio.Server) -> None:
    assert not await worker(tmp_path, 0, above_mb=MUCH_MB).due()
    assert not await worker(tmp_path, 0, above_mb=0).due()
    grown = worker(tmp_path, 0)
    assert await grown.due()
    neighbour.close()
    assert await grown.due()  # it has been told to go, and will


async def test_no_two_go_at_once(tmp_path: Path, neighbour: asyncio.Server) -> None:
    first, second = worker(tmp_path, 0), worker(tmp_path, 2)
    assert await first.due()
    assert not await second.due()


async def test_one_that_was_not_told_whether_others_answer_stays(tmp_path: Path) -> None:
    async def hang(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read()
        writer.close()

    silent = await asyncio.start_unix_server(hang, http_socket(tmp_path, 1))
    alone = worker(tmp_path, 0)
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(alone.due(), 0.05)  # as Serve's health check may
    silent.close()
    assert not await alone.due()


@pytest.mark.usefixtures("neighbour")
async def test_none_goes_while_an_upgrade_replaces_all(tmp_path: Path) -> None:
    grown, successor = worker(tmp_path, 0), await answering(tmp_path, 2)
    assert not await grown.due()
    successor.close()
    assert await grown.due()


async def test_the_last_that_answers_stays(tmp_path: Path) -> None:
    alone, other = worker(tmp_path, 0), worker(tmp_path, 2)
    assert not await alone.due()
    assert not await other.due()  # it was asked too: nobody keeps a turn that was not taken
