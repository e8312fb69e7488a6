"""The V2 statistics since the workers started: how often, and where the time went.

Durations are summed over requests. What a request took is `compute_input` (decoding), `queue` (for its turn,
a load or a thread), `compute_infer`, `compute_output` (encoding), and what its look into a cache took.
"""

from collections.abc import Iterable
from typing import Any

import orjson

from gateway.ports import Routes
from gateway.server.context import Context
from gateway.server.extensions.catalogue import find
from gateway.server.gate import CREDENTIALS
from gateway.server.tally import Count, Tally

SCOPE, WORKER = b"x-headrace-scope", b"worker"
"""A header, and its value for what one worker has to tell. So neighbours are asked, and anybody may ask."""


async def statistics(context: Context, name: str, version: str) -> dict[str, Any]:
    """Of a model's version, of all its versions, or without a name of every model.

    Those of all of the node's workers are added up. A request that names no version is counted under the one
    that was chosen for it. With the header `SCOPE`, only what this worker answered is told.

    Raises GatewayError NOT_FOUND or INVALID.
    """
    context.tally.settle()
    told = _own(context.routes, context.tally, name, version)
    if context.neighbours is None or context.headers.get(SCOPE) == WORKER:
        return told
    path = f"/v2/models/{name}/stats" if name else "/v2/models/stats"
    shown = {header: context.headers[header] for header in CREDENTIALS if header in context.headers}
    others = await context.neighbours.get(path, {**shown, SCOPE: WORKER})
    return summed(told, [orjson.loads(other) for other in others])


def summed(told: dict[str, Any], others: Iterable[dict[str, Any]]) -> dict[str, Any]:
    """What several workers tell, added up for every version of the first; the latest inference counts."""
    rows = {(row["name"], row["version"]): row for row in told["model_stats"]}
    for other in (row for document in others for row in document["model_stats"]):
        row = rows.get((other["name"], other["version"]))
        if row is None:
            continue
        row["last_inference"] = max(row["last_inference"], other["last_inference"])
        for count in ("inference_count", "execution_count"):
            row[count] += other[count]
        for part, duration in row["inference_stats"].items():
            _add(duration, other["inference_stats"][part])
        batches = {batch["batch_size"]: batch for batch in row["batch_stats"]}
        for batch in other["batch_stats"]:
            if (present := batches.get(batch["batch_size"])) is None:
                batches[batch["batch_size"]] = batch
            else:
                _add(present["compute_infer"], batch["compute_infer"])
        row["batch_stats"] = [batches[size] for size in sorted(batches)]
    return told


def _own(routes: Routes, tally: Tally, name: str, version: str) -> dict[str, Any]:
    if name:
        route, entry = find(routes, name, version)
        numbers = [entry.version] if version else [held.version for held in route.versions]
        wanted = [(route.name, number) for number in numbers]
    else:
        wanted = [
            (route.name, held.version) for route in routes.table.models.values() for held in route.versions
        ]
    return {"model_stats": [_counted(tally, model, number) for model, number in sorted(wanted)]}


def _add(duration: dict[str, int], other: dict[str, int]) -> None:
    duration["count"] += other["count"]
    duration["ns"] += other["ns"]


def _counted(tally: Tally, model: str, version: int) -> dict[str, Any]:
    key = (model, version)
    count = tally.counts.get(key, Count())
    cache, runs = tally.caches.used(key), tally.stages.totals(key)
    computed = count.requests - cache.hits
    # A shadow answers nobody, so its copies are told. All compute counts must be one: perf_analyzer insists.
    ran = computed or runs.requests
    queue_ns = count.waited_ns + runs.waited_ns
    run_ns = count.engine_ns - queue_ns - cache.hit_ns - cache.miss_ns
    return {
        "name": model,
        "version": str(version),
        "last_inference": int(count.last * 1000),
        "inference_count": count.rows,
        "execution_count": max(computed - runs.requests, 0) + runs.runs,
        "inference_stats": {
            "success": _duration(count.requests, count.busy_ns),
            "fail": _duration(count.failed, count.failed_ns),
            "queue": _duration(count.requests or runs.requests, queue_ns),
            "compute_input": _duration(ran, count.input_ns),
            "compute_infer": _duration(ran, max(run_ns, runs.ran_ns)),
            "compute_output": _duration(ran, count.busy_ns - count.input_ns - count.engine_ns),
            "cache_hit": _duration(cache.hits, cache.hit_ns),
            "cache_miss": _duration(cache.misses, cache.miss_ns),
        },
        "batch_stats": [
            {"batch_size": rows, "compute_infer": _duration(number, ns)}
            for rows, (number, ns) in sorted(runs.by_rows.items())
        ],
    }


def _duration(count: int, ns: int) -> dict[str, int]:
    return {"count": count, "ns": ns}
