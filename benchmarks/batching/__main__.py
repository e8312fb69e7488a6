"""How much of a model's bare speed is left when requests of one row come through the pool and its batcher?

    python -m benchmarks.batching [--seconds 2] [--repeat 3] [--callers 32] [--threads 2]

Bare: so many threads in a loop around one onnxruntime session, at whichever number of rows is fastest.
Headrace: callers that each send one row and wait, in one process, of the version as a worker has it loaded.
They take turns.
"""

import argparse
import asyncio
import statistics
import tempfile
import threading
import time
from pathlib import Path

import numpy as np
import onnxruntime as ort
import uvloop

from benchmarks.batching.nets import nets
from gateway.config import GatewayConfig, Serving
from gateway.core.placement import Placement
from gateway.core.routing import ModelRoute, RouteTable, VersionEntry
from gateway.core.signature import Signature
from gateway.core.types import Array
from gateway.ports import LoadedVersion
from gateway.runtime.artifact import digest_of
from gateway.runtime.signature import signature_of
from gateway.worker import Worker

MODEL = "bench"
SIZES = (1, 2, 4, 8, 16)
SETTLE_S = 2.0
"""In which the batcher finds its size. The bare loop has its own search, over all sizes."""


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--seconds", type=float, default=2.0)
    parser.add_argument("--repeat", type=int, default=3)
    parser.add_argument("--callers", type=int, default=32)
    parser.add_argument("--threads", type=int, default=2)
    options = parser.parse_args()
    print("| model | bare, best size | rows/s | headrace rows/s | of bare | batching |")
    print("|---|---|---|---|---|---|")
    with tempfile.TemporaryDirectory() as folder:
        for name, path in nets(Path(folder)).items():
            model, home = path.read_bytes(), Path(folder) / "home"
            entry = VersionEntry(
                1, str(path), digest_of(model), signature_of(model), placement=Placement.POOL
            )
            print(f"| {name} | {uvloop.run(compare(model, entry, home, options))} |", flush=True)


async def compare(model: bytes, entry: VersionEntry, home: Path, options: argparse.Namespace) -> str:
    signature = entry.signature
    worker = Worker(GatewayConfig(home=home, serving=Serving(threads=options.threads)), "bench")
    await worker.apply(RouteTable(1, {MODEL: ModelRoute(MODEL, (entry,), 1, ((1, 100.0),))}))
    worker.settle()
    version, row = worker.routes.loaded(MODEL, 1), row_of(signature)
    assert version is not None
    session = bare_session(model)
    sizes = SIZES if signature.batched else (1,)
    tried = {size: bare(session, row, size, options.threads, options.seconds / 2) for size in sizes}
    best = max(tried, key=lambda size: tried[size])
    await served(version, row, options.callers, SETTLE_S)
    ratios, ours, theirs = [], [], []
    for _ in range(options.repeat):
        theirs.append(bare(session, row, best, options.threads, options.seconds))
        ours.append(await served(version, row, options.callers, options.seconds))
        ratios.append(ours[-1] / theirs[-1])
    await worker.drain()
    middle = statistics.median
    batching = version.batching if signature.batched else "no rows to join"
    return f"{best} | {middle(theirs):.1f} | {middle(ours):.1f} | {middle(ratios):.1%} | {batching}"


def row_of(signature: Signature) -> dict[str, Array]:
    rng = np.random.default_rng(0)
    row: dict[str, Array] = {}
    for spec in signature.inputs:
        row[spec.name] = rng.integers(0, 255, [max(length, 1) for length in spec.shape]).astype(spec.dtype)
    return row


def bare_session(model: bytes) -> ort.InferenceSession:
    options = ort.SessionOptions()  # one thread per run, as many runs as threads; all else as it comes
    options.intra_op_num_threads = 1
    options.log_severity_level = 4
    return ort.InferenceSession(model, options, providers=["CPUExecutionProvider"])


def bare(
    session: ort.InferenceSession, row: dict[str, Array], size: int, threads: int, seconds: float
) -> float:
    """Rows per second of threads that do nothing else."""
    inputs = {name: np.concatenate([array] * size) for name, array in row.items()}
    names = [output.name for output in session.get_outputs()]
    session.run(names, inputs)
    counts = [0] * threads
    started = time.perf_counter()

    def loop(number: int) -> None:
        while time.perf_counter() - started < seconds:
            session.run(names, inputs)
            counts[number] += 1

    running = [threading.Thread(target=loop, args=(number,)) for number in range(threads)]
    for thread in running:
        thread.start()
    for thread in running:
        thread.join()
    return sum(counts) * size / (time.perf_counter() - started)


async def served(version: LoadedVersion, row: dict[str, Array], callers: int, seconds: float) -> float:
    """Answered rows per second."""
    loop = asyncio.get_running_loop()
    started, answered = loop.time(), 0

    async def call() -> None:
        nonlocal answered
        while loop.time() - started < seconds:
            await version.run(row, (), 0)
            answered += 1

    await asyncio.gather(*(call() for _ in range(callers)))
    return answered / (loop.time() - started)


if __name__ == "__main__":
    main()
