"""Callers that wait for their answers, and callers that wait for nobody: one request, over HTTP or gRPC."""

import asyncio
import time
from collections import deque
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

import grpc
import numpy as np

from benchmarks.load.question import GRPC_METHOD

Call = Callable[[], Awaitable[bool]]
"""Makes one request: True if it was answered, False if it was refused. Anything else raises."""


@dataclass
class Seen:
    """Seconds that each answer and each refusal took; what was neither is in `failures`.

    `cpu_s` is processor time of the callers.
    """

    answered: list[float] = field(default_factory=list)
    refused: list[float] = field(default_factory=list)
    failures: list[str] = field(default_factory=list)
    seconds: float = 0.0
    cpu_s: float = 0.0

    @property
    def goodput(self) -> float:
        return len(self.answered) / self.seconds

    def ms(self, which: str, quantile: float) -> float:
        took: list[float] = getattr(self, which)
        return float(np.quantile(took, quantile)) * 1e3 if took else 0.0

    async def note(self, call: Call) -> None:
        started = time.perf_counter()
        try:
            took = self.answered if await call() else self.refused
            took.append(time.perf_counter() - started)
        except Exception as error:
            self.failures.append(repr(error))


async def closed(call: Call, callers: int, seconds: float) -> Seen:
    """So many callers, each with one request under way."""
    seen, started = Seen(), time.perf_counter()

    async def loop() -> None:
        while time.perf_counter() - started < seconds:
            await seen.note(call)

    await asyncio.gather(*(loop() for _ in range(callers)))
    seen.seconds = time.perf_counter() - started
    return seen


async def open_(call: Call, per_second: float, seconds: float) -> Seen:
    """Requests at a steady rate, whatever becomes of those before."""
    seen, started, sent, used = Seen(), time.perf_counter(), 0, time.process_time()
    under_way: set[asyncio.Task[None]] = set()
    while (now := time.perf_counter() - started) < seconds:
        for _ in range(sent, int(now * per_second)):
            task = asyncio.create_task(seen.note(call))
            under_way.add(task)
            task.add_done_callback(under_way.discard)
            sent += 1
        await asyncio.sleep(0.002)
    seen.seconds = time.perf_counter() - started
    seen.cpu_s = time.process_time() - used
    await asyncio.gather(*under_way)
    return seen


class HttpCalls:
    """HTTP/1.1 over connections that are kept and used again."""

    def __init__(self, port: int, path: str, body: bytes) -> None:
        self._port = port
        head = f"POST {path} HTTP/1.1\r\nhost: bench\r\ncontent-length: {len(body)}\r\n\r\n"
        self._bytes = head.encode() + body
        self._idle: deque[tuple[asyncio.StreamReader, asyncio.StreamWriter]] = deque()

    async def __call__(self) -> bool:
        reader, writer = (
            self._idle.pop() if self._idle else await asyncio.open_connection("127.0.0.1", self._port)
        )
        writer.write(self._bytes)
        head = (await reader.readuntil(b"\r\n\r\n")).lower()
        length = int(head.split(b"content-length:")[1].split(b"\r\n")[0])
        await reader.readexactly(length)
        if b"connection: close" in head:
            writer.close()
        else:
            self._idle.append((reader, writer))
        status = int(head.split()[1])
        if status == 503 and b"retry-after" not in head:
            raise RuntimeError("a refusal does not say when to come back")
        if status not in (200, 503):
            raise RuntimeError(f"status {status}")
        return status == 200

    async def close(self) -> None:
        for _, writer in self._idle:
            writer.close()


class GrpcCalls:
    def __init__(self, port: int, message: bytes) -> None:
        self._message = message
        self._channel = grpc.aio.insecure_channel(f"127.0.0.1:{port}")
        self._infer: grpc.aio.UnaryUnaryMultiCallable[bytes, bytes] = self._channel.unary_unary(GRPC_METHOD)

    async def __call__(self) -> bool:
        try:
            await self._infer(self._message)
        except grpc.aio.AioRpcError as error:
            if error.code() is not grpc.StatusCode.RESOURCE_EXHAUSTED:
                raise
            return False
        return True

    async def close(self) -> None:
        await self._channel.close()
