"""A worker with its real parts: what it serves, it also tells."""

import asyncio
from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from gateway.config import GatewayConfig, Serving
from gateway.core.figures import Figures, Refusals
from gateway.core.placement import Placement
from gateway.core.routing import ModelRoute, RouteTable, VersionEntry
from gateway.core.summary import merged
from gateway.core.types import InferRequest, Outcome, Role, VersionKey
from gateway.errors import ErrorCode, GatewayError
from gateway.worker import Worker


@pytest.fixture
async def worker(
    lookup: bytes, written: Callable[..., VersionEntry], tmp_path: Path
) -> AsyncIterator[Worker]:
    """Serves version 1 of `m` with version 2 in its shadow."""
    worker = Worker(GatewayConfig(home=tmp_path), "w")
    entries = (written(lookup), written(lookup, version=2))
    await worker.shadow.start()
    await worker.routes.apply(RouteTable(4, {"m": ModelRoute("m", entries, 1, ((1, 100.0),), (2,))}))
    yield worker
    await worker.drain()


def question(*indices: int) -> InferRequest:
    return InferRequest("m", None, {"i": np.array(indices, np.int64)})


async def test_what_was_served_is_collected_once_and_shown(worker: Worker) -> None:
    answers = [await worker.pipeline.infer(question(i)) for i in range(3)]
    await worker.shadow.idle()
    windows, packed, figures = worker.collect()
    captures = [capture for block in packed for capture in block]
    assert [answer.outputs["y"].tolist() for answer in answers] == [[0], [10], [20]]
    assert {(w.version, w.role): w.requests for w in windows} == {
        (1, Role.CHAMPION): 3,
        (2, Role.SHADOW): 3,
    }
    assert {w.generation for w in windows} == {4}
    assert {c.prediction_id for c in captures} == {answer.prediction_id for answer in answers}
    assert 'version="2"' in worker.metrics.render().decode()
    assert (figures.stages, figures.refusals) == ({}, Refusals())  # all of it ran inline
    assert worker.collect() == ([], [], Figures())
    report = worker.report()
    assert (report.worker, report.generation, report.memory.versions) == ("w", 4, 2)
    assert report.resident_bytes > 10_000_000


async def test_the_pools_runs_are_told(
    lookup: bytes, written: Callable[..., VersionEntry], tmp_path: Path
) -> None:
    worker = Worker(GatewayConfig(home=tmp_path, serving=Serving(threads=1)), "w")
    entry = replace(written(lookup), placement=Placement.POOL)
    await worker.routes.apply(RouteTable(1, {"m": ModelRoute("m", (entry,), 1, ((1, 100.0),))}))
    await asyncio.gather(*(worker.pipeline.infer(question(i)) for i in range(3)))
    _, _, figures = worker.collect()
    await worker.drain()
    assert figures.stages["m", 1].requests == 3
    assert figures.stages["m", 1].batches.sum() == 1


async def test_what_a_full_queue_refuses_is_counted_as_that(
    slow: bytes, written: Callable[..., VersionEntry], tmp_path: Path
) -> None:
    worker = Worker(GatewayConfig(home=tmp_path, serving=Serving(threads=1, queue=1)), "w")
    await worker.routes.apply(RouteTable(1, {"m": ModelRoute("m", (written(slow),), 1, ((1, 100.0),))}))
    asked = InferRequest("m", None, {"x": np.zeros((1, 256), np.float32)})
    said = await asyncio.gather(*(worker.pipeline.infer(asked) for _ in range(20)), return_exceptions=True)
    windows, _, figures = worker.collect()
    await worker.drain()
    refused = sum(isinstance(each, GatewayError) and each.code is ErrorCode.OVERLOADED for each in said)
    assert 0 < refused < 20
    assert merged(windows)[0].outcomes == {Outcome.OK: 20 - refused, Outcome.REFUSED: refused}
    assert figures.refusals.limited == {"m": refused}


async def test_where_versions_run_is_told_anew_when_they_move(
    lookup: bytes, written: Callable[..., VersionEntry], tmp_path: Path
) -> None:
    worker = Worker(GatewayConfig(home=tmp_path), "w")
    told: list[dict[VersionKey, Placement] | None] = []
    for generation, placement in enumerate((Placement.AUTO, Placement.POOL), 1):
        entry = replace(written(lookup), placement=placement)
        await worker.routes.apply(RouteTable(generation, {"m": ModelRoute("m", (entry,), 1, ((1, 100.0),))}))
        told += [placements(worker), placements(worker)]
    await worker.routes.apply(RouteTable(3, {}))
    told += [placements(worker)]
    await worker.drain()
    assert told == [{("m", 1): Placement.INLINE}, None, {("m", 1): Placement.POOL}, None, {}]


def placements(worker: Worker) -> dict[VersionKey, Placement] | None:
    """What the worker's next window says of them."""
    placed = worker.collect()[2].placed
    return None if placed is None else {key: place.placement for key, place in placed.items()}


async def test_no_two_answers_share_a_prediction_id(worker: Worker, tmp_path: Path) -> None:
    twin = Worker(GatewayConfig(home=tmp_path), "twin")  # of the same process
    await twin.routes.apply(worker.routes.table)
    ids = [
        (await each.pipeline.infer(question(0))).prediction_id for each in (worker, twin) for _ in range(3)
    ]
    await twin.drain()
    assert len(set(ids)) == 6


async def test_a_drained_worker_lets_go_of_its_models(worker: Worker) -> None:
    await worker.drain()
    assert worker.residence.use.versions == 0
    with pytest.raises(GatewayError) as caught:
        await worker.pipeline.infer(question(0))
    assert caught.value.code is ErrorCode.NOT_FOUND


async def refuses(port: int) -> bool:
    try:
        _, writer = await asyncio.open_connection("127.0.0.1", port)
    except (ConnectionRefusedError, ConnectionResetError):  # reset: it closed with this call in its queue
        return True
    writer.close()
    return False


async def test_what_waits_for_one_protocol_keeps_no_other_open(worker: Worker) -> None:
    port, rpc = await worker.http.listen_tcp("127.0.0.1", 0), await worker.grpc.start("127.0.0.1:0")
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(b"GET /v2 HTTP/1.1\r\n\r\nGET /v2 HTTP/1.1\r\n")
    await reader.readline()  # so the second one is known to be under way
    draining = asyncio.create_task(worker.drain())
    while not await refuses(rpc):
        assert not draining.done()
    writer.close()
    await draining
