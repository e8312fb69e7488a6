"""A connection without a socket: the bytes of callers go in, the answers come out as they were written."""

import asyncio
from collections.abc import Iterable
from typing import Any, NamedTuple

from gateway.config import Limits
from gateway.server.http.connection import HttpConnection
from gateway.server.http.listener import HttpListener
from gateway.server.http.message import Request
from gateway.server.service import Service
from tests.gateway.server.conftest import NumpyEngine


class Answer(NamedTuple):
    status: int
    headers: dict[str, str]
    body: bytes
    trailers: dict[str, str]


class _Wire(asyncio.Transport):
    """What a connection sees of its socket. Nothing is ever pushed back."""

    def __init__(self) -> None:
        super().__init__()
        self.written = bytearray()
        self.closed = False

    def write(self, data: Any) -> None:
        self.written += data

    def write_eof(self) -> None: ...

    def pause_reading(self) -> None: ...

    def resume_reading(self) -> None: ...

    def close(self) -> None:
        self.closed = True

    def abort(self) -> None:
        self.closed = True

    def is_closing(self) -> bool:
        return self.closed


class Host(HttpListener):
    """A listener for models in numpy. It notes the methods: only they tell an answer without a body."""

    def __init__(self) -> None:
        super().__init__(Service(NumpyEngine(), Limits(max_body_mb=1), metrics=lambda: b"requests_total 1\n"))
        self.methods: list[bytes] = []

    def handle(self, request: Request) -> bytes | asyncio.Task[bytes]:
        self.methods.append(request.method)
        return super().handle(request)


def exchange(pieces: Iterable[bytes], host: Host | None = None) -> list[Answer]:
    """All that one connection answers when these pieces arrive one after the other, and then the end.

    Without a `host` it is to a new one, that remembers nothing.

    Must be called in a loop. What waits for no model is answered before this returns. Raises AssertionError
    for bytes that are no answer.
    """
    wire = _Wire()
    host = host or Host()
    host.methods.clear()
    connection = HttpConnection(host)
    connection.connection_made(wire)
    for piece in pieces:
        if wire.closed:
            break
        connection.data_received(piece)
    if not wire.closed:
        connection.eof_received()
    connection.connection_lost(None)
    return _answers(bytes(wire.written), host.methods)


def _answers(written: bytes, methods: list[bytes]) -> list[Answer]:
    found: list[Answer] = []
    while written:
        head, mark, written = written.partition(b"\r\n\r\n")
        assert mark, f"an answer without an end of its head: {head[:200]!r}"
        first, *lines = head.decode("latin-1").split("\r\n")
        protocol, status, *_ = first.split(" ")
        assert protocol == "HTTP/1.1", first
        if status == "100":
            continue
        headers = dict(_fields(lines))
        body = b""
        trailers: dict[str, str] = {}
        if headers.get("transfer-encoding") == "chunked":
            body, trailers, written = _chunks(written)
        elif methods[len(found) : len(found) + 1] != [b"HEAD"]:
            size = int(headers.get("content-length", "0"))
            assert len(written) >= size, "an answer shorter than it says"
            body, written = written[:size], written[size:]
        found.append(Answer(int(status), headers, body, trailers))
    return found


def _fields(lines: Iterable[str]) -> Iterable[tuple[str, str]]:
    for line in lines:
        name, mark, value = line.partition(":")
        assert mark, f"a header line without a colon: {line!r}"
        yield name.lower(), value.strip()


def _chunks(data: bytes) -> tuple[bytes, dict[str, str], bytes]:
    body = b""
    while True:
        size, _, data = data.partition(b"\r\n")
        length = int(size, 16)
        if not length:
            break
        body, data = body + data[:length], data[length + 2 :]
    lines, _, data = data.partition(b"\r\n\r\n")
    return body, dict(_fields(lines.decode("latin-1").split("\r\n"))), data
