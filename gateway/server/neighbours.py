"""The other workers of this node, asked over the sockets of their slots. One that hangs is not waited for."""

import asyncio
import re
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType

from gateway.server.run_dir import http_socket

_PATIENCE_S = 1.0
_OK = re.compile(rb"HTTP/1\.1 200 .*\r\ncontent-length: (\d+)\r\n", re.DOTALL)
_NOTHING: Mapping[bytes, bytes] = MappingProxyType({})


class Neighbours:
    """As one worker knows them.

    Args:
        slots: how many there are, taken or not.
        own: the worker's.
    """

    def __init__(self, run_dir: Path, slots: int, own: int) -> None:
        self._sockets = [http_socket(run_dir, slot) for slot in range(slots) if slot != own]

    async def get(self, path: str, headers: Mapping[bytes, bytes] = _NOTHING) -> list[bytes]:
        """The bodies of all that answer a GET with 200, and whole, within a second."""
        lines = b"".join(b"%s: %s\r\n" % field for field in headers.items())
        asked = b"GET %s HTTP/1.1\r\nhost: worker\r\nconnection: close\r\n%s\r\n" % (path.encode(), lines)
        told = await asyncio.gather(*(_ask(socket, asked) for socket in self._sockets))
        return [body for body in told if body is not None]


async def _ask(socket: Path, asked: bytes) -> bytes | None:
    try:
        async with asyncio.timeout(_PATIENCE_S):
            reader, writer = await asyncio.open_unix_connection(str(socket))
            try:
                writer.write(asked)
                head, _, body = (await reader.read()).partition(b"\r\n\r\n")
            finally:
                writer.close()
    except (OSError, TimeoutError):
        return None
    found = _OK.match(head + b"\r\n")
    return body if found is not None and len(body) == int(found[1]) else None
