from gateway.core.figures import CacheUse, Refusals
from gateway.core.placement import Placement
from gateway.core.report import MemoryUse, WorkerReport
from gateway.telemetry.worker_metrics import WorkerMetrics
from tests.gateway.telemetry.exposed import exposition, value

REPORTS = [
    WorkerReport(
        "worker-0-77",
        9,
        memory=MemoryUse({Placement.INLINE: 1, Placement.POOL: 1}, 700, 900, 5, 3),
        connections=12,
        resident_bytes=1000,
    ),
    WorkerReport("worker-1-78", 8, failed={("m", 2): "broken"}),
    WorkerReport("other-1f/worker-0-12", 7),
]


def test_every_worker_is_told_by_its_slot() -> None:
    text = exposition(WorkerMetrics(lambda: REPORTS))
    assert value(text, "headrace_route_generation", node="other-1f", worker="worker-0") == 7
    assert value(text, "headrace_route_generation", worker="worker-0") == 9
    assert value(text, "headrace_route_generation", worker="worker-1") == 8
    assert value(text, "headrace_loaded_versions", worker="worker-0", placement="pool") == 1
    assert value(text, "headrace_loaded_bytes", worker="worker-0") == 700
    assert value(text, "headrace_memory_budget_bytes", worker="worker-0") == 900
    assert value(text, "headrace_version_loads_total", worker="worker-0") == 5
    assert value(text, "headrace_version_evictions_total", worker="worker-0") == 3
    assert value(text, "headrace_failed_versions", worker="worker-1") == 1
    assert value(text, "headrace_connections", worker="worker-0") == 12
    assert value(text, "headrace_worker_resident_bytes", worker="worker-0") == 1000


def test_the_use_of_caches_adds_up() -> None:
    metrics = WorkerMetrics(list)
    for use in (CacheUse({"m": 2}, {"m": 1}), CacheUse({"m": 1, "n": 1}, {})):
        metrics.absorb(Refusals(), use)
    text = exposition(metrics)
    assert value(text, "headrace_cache_hits_total", model="m") == 3
    assert value(text, "headrace_cache_misses_total", model="m") == 1
    assert value(text, "headrace_cache_hits_total", model="n") == 1


def test_models_that_come_and_go_leave_no_more_than_so_many_names() -> None:
    metrics = WorkerMetrics(list, most_series=2)
    for model in ("a", "b", "a", "c"):
        metrics.absorb(Refusals({model: 1}), CacheUse({model: 1}, {model: 1}))
    text = exposition(metrics)
    for name in ("headrace_refused_total", "headrace_cache_hits_total", "headrace_cache_misses_total"):
        assert value(text, name, model="a") == 2
        assert value(text, name, model="c") == 1
        assert f'{name}{{model="b"}}' not in text


def test_refusals_of_all_workers_add_up() -> None:
    metrics = WorkerMetrics(list)
    metrics.absorb(Refusals({"m": 3}, shed=5, connections=2, wedged=1, shadow_copies=4, pairs=6))
    metrics.absorb(Refusals({"m": 1, "n": 1}, shed=5))
    text = exposition(metrics)
    assert value(text, "headrace_refused_total", model="m") == 4
    assert value(text, "headrace_refused_total", model="n") == 1
    assert value(text, "headrace_shed_total") == 10
    assert value(text, "headrace_connections_refused_total") == 2
    assert value(text, "headrace_wedged_runs_total") == 1
    assert value(text, "headrace_shadow_dropped_total") == 4
    assert value(text, "headrace_pairs_dropped_total") == 6
