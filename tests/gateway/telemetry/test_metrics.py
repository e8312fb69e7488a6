import numpy as np
import pytest
from prometheus_client.parser import text_string_to_metric_families

from gateway.core.report import MemoryUse
from gateway.core.summary import Window, latency_histogram
from gateway.core.types import Outcome, Role
from gateway.telemetry.metrics import Metrics

SERVED = {"model": "m", "version": "1", "role": "champion"}


def window(model: str = "m", latencies_ms: tuple[float, ...] = (1.0,), dropped: int = 0) -> Window:
    latency = latency_histogram((np.array(latencies_ms) * 1e6).astype(np.int64))
    outcomes = {Outcome.OK: len(latencies_ms)}
    rows = 2 * len(latencies_ms)
    return Window(model, 1, Role.CHAMPION, 7, 0, 1, outcomes, {}, latency, rows, {}, dropped)


def value(metrics: Metrics, name: str, **labels: str) -> float | None:
    """A sample as a Prometheus server would read it."""
    for family in text_string_to_metric_families(metrics.render().decode()):
        for sample in family.samples:
            if sample.name == name and sample.labels == labels:
                return float(sample.value)
    return None


def test_counts_add_up_over_windows() -> None:
    metrics = Metrics()
    metrics.absorb([window(dropped=3)])
    metrics.absorb([window(latencies_ms=(1.0, 2.0))])
    assert value(metrics, "headrace_requests_total", **SERVED, outcome="ok") == 3
    assert value(metrics, "headrace_rows_total", **SERVED) == 6
    assert value(metrics, "headrace_tap_dropped_total", **SERVED) == 3


def test_latency_is_a_histogram_with_bounds_below_a_millisecond() -> None:
    metrics = Metrics()
    metrics.absorb([window(latencies_ms=(0.04, 0.15, 0.15, 3.0, 90_000.0))])
    name = "headrace_request_latency_seconds"
    buckets = {"5e-05": 1, "0.0002": 3, "0.002": 3, "0.005": 4, "30.0": 4, "+Inf": 5}
    for bound, below in buckets.items():
        assert value(metrics, f"{name}_bucket", **SERVED, le=bound) == below
    assert value(metrics, f"{name}_count", **SERVED) == 5
    assert value(metrics, f"{name}_sum", **SERVED) == pytest.approx(60.0, rel=0.01)


def test_the_workers_own_state() -> None:
    metrics = Metrics()
    metrics.set_shadow_dropped(4)
    metrics.set_routes(generation=9)
    metrics.set_memory(MemoryUse(versions=2, held_bytes=30, budget_bytes=100, loads=7, evictions=5))
    metrics.set_refused({"m": 3}, shed=5)
    metrics.set_wedged(1)
    assert value(metrics, "headrace_refused_total", model="m") == 3
    assert value(metrics, "headrace_shed_total") == 5
    assert value(metrics, "headrace_wedged_runs_total") == 1
    assert value(metrics, "headrace_shadow_dropped_total") == 4
    assert value(metrics, "headrace_route_generation") == 9
    assert value(metrics, "headrace_loaded_versions") == 2
    assert value(metrics, "headrace_loaded_bytes") == 30
    assert value(metrics, "headrace_memory_budget_bytes") == 100
    assert value(metrics, "headrace_version_loads_total") == 7
    assert value(metrics, "headrace_version_evictions_total") == 5


def test_series_stay_few_and_the_idle_ones_go_first() -> None:
    metrics = Metrics(most_series=2)
    for model in ("a", "b", "a", "c"):
        metrics.absorb([window(model)])
    rows = {model: value(metrics, "headrace_rows_total", **{**SERVED, "model": model}) for model in "abc"}
    assert rows == {"a": 4, "b": None, "c": 2}


def test_labels_are_escaped() -> None:
    metrics = Metrics()
    metrics.absorb([window('a"\n\\b')])
    assert value(metrics, "headrace_rows_total", **{**SERVED, "model": 'a"\n\\b'}) == 2
