"""What the benchmark writes is a registry that a controller publishes and a worker serves."""

import asyncio
import multiprocessing
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import numpy as np

from benchmarks.load.question import make
from benchmarks.scale.registry import fill, name_of
from gateway.config import GatewayConfig
from gateway.core.report import MemoryUse
from gateway.core.types import InferRequest
from gateway.worker import Worker
from lifecycle.adapters.fleet import WorkerFleet
from lifecycle.adapters.sql.store import SqlStore
from lifecycle.commands.publish import Publisher
from lifecycle.config import LifecycleConfig


def test_a_filled_registry_is_served_from_little_memory(tmp_path: Path) -> None:
    # In a process of its own: what other tests leave running would be taken for memory of the versions.
    with ProcessPoolExecutor(1, multiprocessing.get_context("spawn")) as fresh:
        use = fresh.submit(_use, tmp_path).result()
    assert use.held_bytes <= use.budget_bytes == 2**20
    assert 0 < use.versions < 24
    assert use.evictions == use.loads - use.versions > 0


def _use(folder: Path) -> MemoryUse:
    return asyncio.run(_served(folder))


async def _served(tmp_path: Path) -> MemoryUse:
    question = make("logistic", tmp_path)
    gateway = GatewayConfig.model_validate({"home": tmp_path, "serving": {"memory_budget_mb": 1}})
    config = LifecycleConfig(gateway=gateway)
    fill(config, question, models=8, versions=3)
    store = SqlStore(config.store_url)
    table = Publisher(store, WorkerFleet(lambda: 0.0)).publish()
    store.close()
    assert {len(route.versions) for route in table.models.values()} == {3}

    worker = Worker(gateway, "w")
    await worker.apply(table)
    for turn in range(9):
        for number in range(8):
            request = InferRequest(name_of(number), turn % 3 + 1, {question.input: question.sent})
            answer = (await worker.pipeline.infer(request)).outputs[question.output]
            assert np.allclose(answer.astype(np.float32), question.expected, atol=1e-5)
    use = worker.residence.use
    await worker.drain()
    return use
