"""Where the microseconds of one request go, inside a worker and without a socket.

    python -m benchmarks.micro.request [--rounds 40]

A whole HTTP/1.1 request of 30 FP32 features as JSON goes to the bytes of its answer: by the express lane,
where that is compiled, and the usual way through parser, codec, pipeline, ONNX Runtime and tap. What counts
is processor time, the median of many rounds.
"""

import argparse
import asyncio
import statistics
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
import uvloop

from benchmarks.load.question import Question, make
from gateway.config import GatewayConfig
from gateway.local import table_of
from gateway.server import express
from gateway.server.http.connection import HttpConnection
from gateway.worker import Worker

REQUESTS = 1_000


class Nowhere(asyncio.Transport):
    """Takes answers and drops them."""

    def write(self, data: Any) -> None:
        self.last = bytes(data)

    def is_closing(self) -> bool:
        return False


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=40)
    rounds = parser.parse_args().rounds
    with tempfile.TemporaryDirectory() as folder:
        uvloop.run(_measure(make("logistic", Path(folder)), Path(folder), rounds))


async def _measure(question: Question, folder: Path, rounds: int) -> None:
    for way, compiled in (("the express lane", True), ("the usual way", False)):
        if compiled and not express.COMPILED:
            continue
        express.COMPILED = compiled
        print(way)
        await _measure_one(question, folder, rounds)


async def _measure_one(question: Question, folder: Path, rounds: int) -> None:
    worker = Worker(GatewayConfig(home=folder), "bench")
    await worker.apply(table_of({question.model: question.artifact}))
    connection, nowhere = HttpConnection(worker.http), Nowhere()
    connection.connection_made(nowhere)
    head = f"POST {question.path} HTTP/1.1\r\nhost: h\r\ncontent-type: application/json\r\n"
    body, _ = question.ask("json")
    request = f"{head}content-length: {len(body)}\r\n\r\n".encode() + body

    def time_rounds() -> float:
        took = []
        for _ in range(rounds):
            started = time.thread_time()
            for _ in range(REQUESTS):
                connection.data_received(request)
            took.append(time.thread_time() - started)
            worker.collect()
        return statistics.median(took) / REQUESTS * 1e6

    time_rounds()
    question.check("json", nowhere.last.partition(b"\r\n\r\n")[2], {})
    print(f"{'  Python looks for cycles by itself':38} {time_rounds():6.1f} µs")
    worker.settle()
    whole = time_rounds()
    print(f"{'  cycles are looked for beside requests':38} {whole:6.1f} µs")

    version = worker.routes.loaded(question.model, 1)
    assert version is not None
    inputs = {"X": np.ones((1, 30), np.float32)}
    started = time.thread_time()
    for _ in range(REQUESTS):
        await version.run(inputs, (), 0)
    print(f"{'  the model, its arrays made':38} {(time.thread_time() - started) / REQUESTS * 1e6:6.1f} µs")
    connection.connection_lost(None)
    await worker.drain()


if __name__ == "__main__":
    main()
