"""Callers in an event loop that draw every request anew and note which version answered when."""

import asyncio
import contextlib
import json
import math
import random
import time
from dataclasses import dataclass, field
from types import TracebackType
from typing import Self

MODEL = "drawn"
SIGMA = 0.5
"""Of the logarithm of the work in a request."""


@dataclass(slots=True)
class Answers:
    """Every answer so far, in order: Unix seconds, and the version that gave it (0: it failed)."""

    at: list[float] = field(default_factory=list)
    version: list[int] = field(default_factory=list)

    def between(self, version: int, since: int) -> tuple[int, float]:
        """Requests of both arms and seconds, from a version's first answer to its last. Raises ValueError."""
        own = [place for place in range(since, len(self.version)) if self.version[place] == version]
        if not own:
            raise ValueError(f"version {version} answered nobody")
        return own[-1] - own[0] + 1, self.at[own[-1]] - self.at[own[0]]


class Callers:
    """Connections that each ask again when answered; an async context manager.

    Args:
        work: median rounds of work in a request.
    """

    def __init__(self, port: int, connections: int, work: float, seed: int) -> None:
        self.answers = Answers()
        self._port = port
        self._connections = connections
        self._work = work
        self._random = random.Random(seed)
        self._tasks: list[asyncio.Task[None]] = []

    async def __aenter__(self) -> Self:
        self._tasks = [asyncio.create_task(self._call()) for _ in range(self._connections)]
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for task in self._tasks:
            task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await asyncio.gather(*self._tasks)

    def check(self) -> None:
        """Raises what ended a caller."""
        for task in self._tasks:
            if task.done():
                task.result()

    async def _call(self) -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", self._port)
        try:
            while True:
                writer.write(self._request())
                version = await _answered(reader)
                self.answers.at.append(time.time())
                self.answers.version.append(version)
        finally:
            writer.close()

    def _request(self) -> bytes:
        work = self._work * math.exp(SIGMA * self._random.gauss(0, 1))
        row = [self._random.random(), work]
        tensor = {"name": "x", "shape": [1, 2], "datatype": "FP32", "data": row}
        body = json.dumps({"inputs": [tensor]}).encode()
        head = f"POST /v2/models/{MODEL}/infer HTTP/1.1\r\nhost: h\r\ncontent-length: {len(body)}\r\n\r\n"
        return head.encode() + body


async def _answered(reader: asyncio.StreamReader) -> int:
    """The version that a whole answer names; 0 for the model's own failure, which names none."""
    head = (await reader.readuntil(b"\r\n\r\n")).decode().lower()
    fields = dict(line.split(": ", 1) for line in head.split("\r\n")[1:] if ": " in line)
    body = await reader.readexactly(int(fields["content-length"]))
    if head.startswith("http/1.1 500"):
        return 0
    if "x-headrace-version" not in fields:
        raise ValueError(f"an answer of no version: {head.splitlines()[0]} {body[:200]!r}")
    return int(fields["x-headrace-version"])
