"""What the way through the pool costs a request beside its model, in µs of processor time of all threads.

    python -m benchmarks.micro.pool [--rounds 30]

A job that does nothing goes to a thread and back; then requests of one row do, of a version whose model takes
a few µs, so that next to nothing of it is the model's. The least of several rounds, since the others measure
the neighbours.
"""

import argparse
import asyncio
import tempfile
import time
from collections.abc import Awaitable, Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import uvloop

from benchmarks.load.question import make
from gateway.config import GatewayConfig
from gateway.core.placement import Placement
from gateway.core.routing import ModelRoute, RouteTable
from gateway.local import table_of
from gateway.runtime.pool import Pool
from gateway.worker import Worker

CALLS = 1_000
THREADS = 2


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rounds", type=int, default=30)
    rounds = parser.parse_args().rounds
    uvloop.run(_jobs(rounds))
    with tempfile.TemporaryDirectory() as folder:
        uvloop.run(_requests(Path(folder), rounds))


async def _jobs(rounds: int) -> None:
    pool = Pool(THREADS, 256, 30.0)
    for callers in (1, 32):
        least = await _least(lambda: pool.submit(lambda _: None, 0), callers, rounds)
        print(f"{f'a job, {callers} at once':38} {least:6.1f} µs")
    await pool.close()


async def _requests(folder: Path, rounds: int) -> None:
    question = make("logistic", folder)
    (entry,) = table_of({"m": question.artifact}).models["m"].versions
    entry = replace(entry, placement=Placement.POOL)
    worker = Worker(GatewayConfig(home=folder), "bench")
    await worker.apply(RouteTable(1, {"m": ModelRoute("m", (entry,), 1, ((1, 100.0),))}))
    worker.settle()
    version = worker.routes.loaded("m", 1)
    assert version is not None
    row = {"X": np.ones((1, 30), np.float32)}
    for callers in (1, 32):
        least = await _least(lambda: version.run(row, (), 0), callers, rounds)
        print(f"{f'a request, {callers} at once':38} {least:6.1f} µs")
        worker.collect()
    await worker.drain()


async def _least(call: Callable[[], Awaitable[object]], callers: int, rounds: int) -> float:
    async def caller() -> None:
        for _ in range(CALLS // callers):
            await call()

    took = []
    for _ in range(rounds):
        started = time.process_time()
        await asyncio.gather(*(caller() for _ in range(callers)))
        took.append(time.process_time() - started)
    return min(took) / (CALLS // callers * callers) * 1e6


if __name__ == "__main__":
    main()
