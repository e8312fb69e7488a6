"""Statistics of real workers: figures that add up, the same over HTTP and gRPC, whichever worker is asked."""

import asyncio
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import grpc.aio
import httpx
from google.protobuf.json_format import ParseDict

from gateway.config import GatewayConfig, Serving
from gateway.core.figures import Run
from gateway.core.keys import Key, Keyring, KeyRole, digest
from gateway.core.limits import ModelLimits
from gateway.core.placement import Placement
from gateway.core.routing import ModelRoute, RouteTable, VersionEntry
from gateway.protocols import open_inference_pb2 as pb
from gateway.server.context import Context
from gateway.server.extensions.statistics import statistics, summed
from gateway.server.neighbours import Neighbours
from gateway.server.run_dir import http_socket
from gateway.server.tally import Count, Tally
from gateway.worker import Worker

PARTS = ("queue", "compute_input", "compute_infer", "compute_output", "cache_hit", "cache_miss")


def question(*indices: int) -> dict[str, object]:
    data = {"name": "i", "shape": [len(indices)], "datatype": "INT64", "data": list(indices)}
    return {"inputs": [data]}


async def test_every_version_is_named_and_counted_for_what_it_answered(engine: Any) -> None:
    tally = Tally()
    tally.counts["pair", 2] = Count(requests=3, rows=7, busy_ns=900, input_ns=200, engine_ns=600, last=1.5)
    context = Context(engine.routes, tally, True)
    stats = (await statistics(context, "pair", ""))["model_stats"]
    assert [(s["version"], s["execution_count"], s["inference_count"]) for s in stats] == [
        ("1", 0, 0),
        ("2", 3, 7),
    ]
    told = stats[1]["inference_stats"]
    assert told["success"] == {"count": 3, "ns": 900}
    assert [told[part]["ns"] for part in PARTS[:4]] == [0, 200, 600, 100]
    assert stats[1]["last_inference"] == 1500
    everything = (await statistics(context, "", ""))["model_stats"]
    assert len(everything) == 2 * len(engine.routes.table.models)
    assert len((await statistics(context, "pair", "2"))["model_stats"]) == 1


async def test_a_run_that_is_not_answered_yet_makes_no_count_differ(engine: Any) -> None:
    tally = Tally()
    tally.counts["pair", 1] = Count(requests=2, rows=2, busy_ns=900, input_ns=200, engine_ns=600)
    for _ in range(3):
        tally.stages.of(("pair", 1))(Run(arrived=(0,), formed=10, started=20, ended=70, rows=1))
    told, _ = (await statistics(Context(engine.routes, tally, True), "pair", ""))["model_stats"]
    assert {told["inference_stats"][part]["count"] for part in ("success", *PARTS[:4])} == {2}
    assert told["execution_count"] == 3


async def test_the_time_of_every_answer_is_accounted_for(
    lookup: bytes, written: Callable[..., VersionEntry], tmp_path: Path
) -> None:
    worker = Worker(GatewayConfig(home=tmp_path, serving=Serving(threads=1)), "w")
    inline, all_traffic = written(lookup), ((1, 100.0),)
    pooled = replace(inline, placement=Placement.POOL)
    one = ModelLimits(max_concurrency=1, max_queue=9)
    routes = (
        ModelRoute("inline", (inline,), 1, all_traffic),
        ModelRoute("pooled", (pooled,), 1, all_traffic),
        ModelRoute("limited", (pooled,), 1, all_traffic, limits=one),
        ModelRoute("cached", (inline,), 1, all_traffic, cache_mb=1),
    )
    await worker.routes.apply(RouteTable(1, {route.name: route for route in routes}))
    url = f"http://127.0.0.1:{await worker.http.listen_tcp('127.0.0.1', 0)}/v2/models"
    rpc = await worker.grpc.start("127.0.0.1:0")
    async with httpx.AsyncClient() as client:
        asked = [client.post(f"{url}/{route.name}/infer", json=question(1, 2)) for route in routes * 6]
        assert {answer.status_code for answer in await asyncio.gather(*asked)} == {200}
        assert (await client.post(f"{url}/inline/infer", json=question(9))).status_code == 500
        over_http = (await client.get(f"{url}/stats")).json()
        one_model = (await client.get(f"{url}/pooled/stats")).json()
    async with grpc.aio.insecure_channel(f"127.0.0.1:{rpc}") as channel:
        call: Any = channel.unary_unary("/inference.GRPCInferenceService/ModelStatistics")
        over_grpc = pb.ModelStatisticsResponse.FromString(await call(b""))
    await worker.drain()

    assert ParseDict(over_http, pb.ModelStatisticsResponse()) == over_grpc
    told = {stats["name"]: stats for stats in over_http["model_stats"]}
    assert one_model["model_stats"] == [told["pooled"]]
    for name, stats in told.items():
        parts = stats["inference_stats"]
        assert parts["success"]["count"] == 6
        assert sum(parts[part]["ns"] for part in PARTS) == parts["success"]["ns"]
        assert (parts["queue"]["ns"] > 0) is (name in ("pooled", "limited"))
        assert all(parts[part]["ns"] > 0 for part in PARTS[1:4])
        assert stats["inference_count"] == 12
        runs = sum(batch["compute_infer"]["count"] for batch in stats["batch_stats"])
        assert runs == (stats["execution_count"] if name in ("pooled", "limited") else 0)
        assert parts["fail"]["count"] == (name == "inline")
    assert told["limited"]["execution_count"] == told["inline"]["execution_count"] == 6
    assert {batch["batch_size"] for batch in told["limited"]["batch_stats"]} == {2}
    hits, misses = (told["cached"]["inference_stats"][side]["count"] for side in PARTS[4:])
    assert (hits, misses, told["cached"]["execution_count"]) == (5, 1, 1)
    assert told["cached"]["inference_stats"]["compute_infer"]["count"] == 1


async def test_copies_for_a_shadow_are_runs_and_no_answers(
    lookup: bytes, written: Callable[..., VersionEntry], tmp_path: Path
) -> None:
    worker = Worker(GatewayConfig(home=tmp_path), "w")
    entries = tuple(replace(written(lookup, version=v), placement=Placement.POOL) for v in (1, 2))
    await worker.shadow.start()
    await worker.routes.apply(RouteTable(1, {"m": ModelRoute("m", entries, 1, ((1, 100.0),), (2,))}))
    url = f"http://127.0.0.1:{await worker.http.listen_tcp('127.0.0.1', 0)}/v2/models/m"
    async with httpx.AsyncClient() as client:
        for index in (1, 2):
            await client.post(f"{url}/infer", json=question(index))
        await worker.shadow.idle()
        _, shadow = (await client.get(f"{url}/stats")).json()["model_stats"]
    await worker.drain()
    told = shadow["inference_stats"]
    assert (told["success"]["count"], shadow["execution_count"]) == (0, 2)
    assert {told[part]["count"] for part in PARTS[:4]} == {2}
    assert told["compute_infer"]["ns"] > 0


def row(version: str, count: int, **batches: int) -> dict[str, Any]:
    """What a worker tells of one version: every figure is `count`, but for those of batches by their rows."""
    duration = {"count": count, "ns": count}
    return {
        "name": "m",
        "version": version,
        "last_inference": count,
        "inference_count": count,
        "execution_count": count,
        "inference_stats": {part: dict(duration) for part in ("success", "fail", *PARTS)},
        "batch_stats": [
            {"batch_size": int(rows[1:]), "compute_infer": {"count": n, "ns": n}}
            for rows, n in batches.items()
        ],
    }


def test_what_workers_tell_is_added_up_version_by_version() -> None:
    told = summed(
        {"model_stats": [row("1", 3, _1=1, _4=2), row("2", 0)]},
        [
            {"model_stats": [row("1", 5, _2=5, _4=7)]},
            {"model_stats": [row("3", 9), row("2", 1, _8=1), row("1", 0)]},  # of a newer table
        ],
    )
    first, second = row("1", 8, _1=1, _2=5, _4=9), row("2", 1, _8=1)
    assert told == {"model_stats": [first | {"last_inference": 5}, second]}


async def test_whichever_worker_is_asked_tells_of_all(
    lookup: bytes, written: Callable[..., VersionEntry], tmp_path: Path
) -> None:
    config = GatewayConfig(home=tmp_path, keys="required")
    route = ModelRoute("m", (written(lookup),), 1, ((1, 100.0),))
    keys = Keyring((Key("shop", digest("secret"), KeyRole.INFERENCE),))
    workers = [Worker(config, f"w{n}", neighbours=Neighbours(tmp_path, 4, n)) for n in (0, 1)]
    own = {"x-headrace-scope": "worker"}
    urls, rpcs = [], []
    for slot, worker in enumerate(workers):
        await worker.apply(RouteTable(1, {"m": route}, keys))
        await worker.http.listen_unix(http_socket(tmp_path, slot))
        urls.append(f"http://127.0.0.1:{await worker.http.listen_tcp('127.0.0.1', 0)}/v2/models")
        rpcs.append(await worker.grpc.start("127.0.0.1:0"))
    async with httpx.AsyncClient(headers={"x-api-key": "secret"}) as client:
        for url in (urls[0], urls[1], urls[1]):
            assert (await client.post(f"{url}/m/infer", json=question(1))).status_code == 200
        told = [(await client.get(url + path)).json() for url in urls for path in ("/stats", "/m/stats")]
        alone = [(await client.get(f"{url}/m/versions/champion/stats", headers=own)).json() for url in urls]
    for port in rpcs:
        async with grpc.aio.insecure_channel(f"127.0.0.1:{port}") as channel:
            call: Any = channel.unary_unary("/inference.GRPCInferenceService/ModelStatistics")
            answer = pb.ModelStatisticsResponse.FromString(
                await call(b"", metadata=(("x-api-key", "secret"),))
            )
            assert ParseDict(told[0], pb.ModelStatisticsResponse()) == answer
    assert all(each == told[0] for each in told)
    assert told[0]["model_stats"][0]["inference_stats"]["success"]["count"] == 3
    assert [each["model_stats"][0]["inference_count"] for each in alone] == [1, 2]
    await workers[0].drain()
    async with httpx.AsyncClient(headers={"x-api-key": "secret"}) as client:
        assert (await client.get(f"{urls[1]}/stats")).json() == alone[1]
    await workers[1].drain()
