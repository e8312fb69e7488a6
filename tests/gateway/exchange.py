"""One HTTP/1.1 request and its answer over a socket, as the bytes have it."""

import contextlib
import socket
from typing import Any, NamedTuple


class Reply(NamedTuple):
    status: int
    headers: dict[str, str]
    body: bytes


def read(stream: Any) -> Reply:
    """One answer, as the bytes have it."""
    status = int(stream.readline().split()[1])
    headers = {}
    while line := stream.readline().decode("latin-1").strip():
        name, _, value = line.partition(":")
        headers[name.lower()] = value.strip()
    return Reply(status, headers, stream.read(int(headers.get("content-length", "0"))))


def exchange(port: int, data: bytes) -> Reply:
    """Send these bytes and read one answer. A server may answer, and close, before it has read them all."""
    with socket.create_connection(("127.0.0.1", port), timeout=20) as connection:
        with contextlib.suppress(BrokenPipeError, ConnectionResetError):
            connection.sendall(data)
        with connection.makefile("rb") as stream:
            return read(stream)


def post(port: int, path: str, data: bytes, head: str = "") -> Reply:
    start = f"POST {path} HTTP/1.1\r\nhost: h\r\ncontent-length: {len(data)}\r\n{head}\r\n"
    return exchange(port, start.encode() + data)
