"""The V2 statistics of this worker since it started: how often, and where the time went.

Durations are summed over requests. What a request took is `compute_input` (decoding), `queue` (for its turn,
a load or a thread), `compute_infer`, `compute_output` (encoding), and what its look into a cache took.
"""

from typing import Any

from gateway.ports import Routes
from gateway.server.catalogue import find
from gateway.server.tally import Count, Tally


def statistics(routes: Routes, tally: Tally, name: str, version: str) -> dict[str, Any]:
    """Of a model's version, of all its versions, or without a name of every model.

    A request that names no version is counted under the one that was chosen for it.
    """
    if name:
        route, entry = find(routes, name, version)
        numbers = [entry.version] if version else [held.version for held in route.versions]
        wanted = [(route.name, number) for number in numbers]
    else:
        wanted = [
            (route.name, held.version) for route in routes.table.models.values() for held in route.versions
        ]
    return {"model_stats": [_counted(tally, model, number) for model, number in sorted(wanted)]}


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
