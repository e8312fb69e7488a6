"""Connections that the poller reads, over real sockets."""

import asyncio
import contextlib
import errno
import re
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from gateway.server.http import connection
from gateway.worker import Worker
from tests.gateway.server.express.line import Line, infer, route

Start = Callable[..., Any]
Written = Callable[..., Any]
ROW = [0.5, 1.0, -2.0] * 10
BODY = b'{"inputs":[{"name":"x","datatype":"FP32","shape":[1,30],"data":%s}]}'
ASKED = infer("m", BODY % str(ROW).replace(" ", "").encode())
OTHER = infer("m", BODY % str(ROW[::-1]).replace(" ", "").encode())
_BROKEN = infer("m", b"{")


class Client:
    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader, self.writer = reader, writer

    async def ask(self, data: bytes) -> bytes:
        self.writer.write(data)
        return await self.read()

    async def read(self) -> bytes:
        async with asyncio.timeout(10):
            head = await self.reader.readuntil(b"\r\n\r\n")
            length = re.search(rb"(?i)content-length: (\d+)", head)
            assert length is not None
            return head + await self.reader.readexactly(int(length[1]))

    async def ended(self) -> bool:
        async with asyncio.timeout(10):
            return not await self.reader.read()


class Served:
    """A worker that listens, and how many of its connections the poller reads."""

    def __init__(self, line: Line, path: Path) -> None:
        self.worker: Worker = line.worker
        self._path = path
        self._clients: list[Client] = []

    @property
    def watched(self) -> int:
        poller: Any = self.worker.http._poller
        return 0 if poller is None else len(poller.watches)

    async def connect(self) -> Client:
        client = Client(*await asyncio.open_unix_connection(self._path))
        self._clients.append(client)
        return client

    async def close(self) -> None:
        for client in self._clients:
            client.writer.close()
            with contextlib.suppress(ConnectionError):
                await client.writer.wait_closed()

    async def taught(self) -> Client:
        """A connection that the poller reads."""
        client = await self.connect()
        for _ in range(6):
            assert (await client.ask(ASKED)).startswith(b"HTTP/1.1 200")
        await self.until(lambda: self.watched > 0)
        return client

    @staticmethod
    async def until(done: Callable[[], bool]) -> None:
        for _ in range(2_000):
            if done():
                return
            await asyncio.sleep(0.005)
        pytest.fail("it did not come to that")


@pytest.fixture
async def served(start: Start, logistic: bytes, written: Written, tmp_path: Path) -> AsyncIterator[Served]:
    line = await start(route("m", written(logistic)))
    line.close()
    await line.worker.http.listen_unix(tmp_path / "w.sock")
    served = Served(line, tmp_path / "w.sock")
    yield served
    await served.close()


def alike(reply: bytes) -> bytes:
    return re.sub(rb"[0-9a-f]+-[0-9a-f]{12}", b"ID", reply)


async def test_it_answers_as_the_transport_does(served: Served) -> None:
    first = await served.connect()
    usual = [alike(await first.ask(asked)) for asked in (ASKED, OTHER)]
    client = await served.taught()
    for _ in range(3):
        assert [alike(await client.ask(asked)) for asked in (ASKED, OTHER)] == usual
    assert served.watched == 1


async def test_what_is_no_known_request_goes_the_usual_way_and_the_next_one_comes_back(
    served: Served,
) -> None:
    client = await served.taught()
    assert (await client.ask(_BROKEN)).startswith(b"HTTP/1.1 400")
    assert served.watched == 0
    assert (await client.ask(ASKED)).startswith(b"HTTP/1.1 200")
    await served.until(lambda: served.watched == 1)


async def test_requests_that_come_together_are_answered_in_order(served: Served) -> None:
    client = await served.taught()
    client.writer.write(ASKED + OTHER + _BROKEN + ASKED)
    replies = [await client.read() for _ in range(4)]
    single = await served.connect()
    assert [alike(reply) for reply in replies] == [
        alike(await single.ask(asked)) for asked in (ASKED, OTHER, _BROKEN, ASKED)
    ]


async def test_a_request_in_pieces_is_one_request(served: Served) -> None:
    client = await served.taught()
    for piece in (ASKED[:40], ASKED[40:-10], ASKED[-10:]):
        client.writer.write(piece)
        await asyncio.sleep(0.02)
    assert (await client.read()).startswith(b"HTTP/1.1 200")


async def test_answers_that_nobody_reads_yet_are_kept_in_order(served: Served) -> None:
    client = await served.taught()
    client.writer.transport.pause_reading()  # type: ignore[attr-defined]
    asked = 0
    while served.watched and asked < 10_000:  # until a socket is full
        client.writer.write(ASKED if asked % 3 else OTHER)
        asked += 1
        await asyncio.sleep(0.001)
    assert not served.watched
    client.writer.transport.resume_reading()  # type: ignore[attr-defined]
    replies = [alike(await client.read()) for _ in range(asked)]
    one, other = alike(await client.ask(ASKED)), alike(await client.ask(OTHER))
    assert one != other
    assert replies == [one if number % 3 else other for number in range(asked)]


async def test_what_the_system_does_not_let_it_watch_the_transport_reads(
    served: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "a connection cannot be watched")

    no_more = SimpleNamespace(watch=full, close=lambda: None)
    monkeypatch.setattr(served.worker.http, "_poller", no_more)
    client = await served.connect()
    for _ in range(10):
        assert (await client.ask(ASKED)).startswith(b"HTTP/1.1 200")


@pytest.mark.parametrize("how", ["half", "whole", "reset"])
async def test_the_end_of_a_connection_is_noticed(how: str, served: Served) -> None:
    before = served.worker.http.connections
    client = await served.taught()
    match how:
        case "half":
            client.writer.write_eof()
            assert await client.ended()
        case "whole":
            client.writer.close()
        case "reset":
            client.writer.transport.abort()
    await served.until(lambda: served.worker.http.connections == before)
    assert served.watched == 0


async def test_idle_connections_are_closed_and_used_ones_are_not(
    served: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connection, "IDLE_TIMEOUT_S", 1.5)
    idle, used = await served.taught(), await served.taught()

    async def ask() -> None:
        while True:
            await used.ask(ASKED)
            await asyncio.sleep(0.05)

    asking = asyncio.create_task(ask())
    assert await idle.ended()
    asking.cancel()
    assert served.watched == 1


async def test_a_worker_that_leaves_closes_them_and_answers_what_has_come(served: Served) -> None:
    idle, client = await served.taught(), await served.taught()
    served.worker.http.leave()
    assert served.watched == 0
    reply = await client.ask(ASKED)
    assert reply.startswith(b"HTTP/1.1 200")
    assert b"connection: close" in reply.lower()
    await served.worker.http.drain(5)
    assert await idle.ended()
