"""Callers tell which version answered, and count from its first answer to its last."""

import asyncio

import pytest

from benchmarks.canary.callers import Answers, Callers


def test_requests_of_both_arms_count_between_first_and_last() -> None:
    answers = Answers([1.0, 2.0, 3.0, 4.0, 5.0, 6.0], [1, 2, 1, 0, 2, 1])
    assert answers.between(2, 0) == (4, 3.0)
    assert answers.between(2, 2) == (1, 0.0)
    with pytest.raises(ValueError, match="answered nobody"):
        answers.between(9, 0)


async def test_every_answer_is_noted_with_its_version() -> None:
    answered = asyncio.Event()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        for status, version in (("200 OK", "X-Headrace-Version: 7\r\n"), ("500 Oh", "")):
            head = (await reader.readuntil(b"\r\n\r\n")).decode()
            await reader.readexactly(int(head.split("content-length: ")[1].split("\r\n")[0]))
            writer.write(f"HTTP/1.1 {status}\r\n{version}Content-Length: 2\r\n\r\n{{}}".encode())
        answered.set()
        await reader.read()
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    async with Callers(server.sockets[0].getsockname()[1], 1, 10, seed=1) as callers:
        await answered.wait()
        await asyncio.sleep(0.1)
        callers.check()
    assert callers.answers.version == [7, 0]
    server.close()
