"""What a worker has seen since its start, as Prometheus text. Labels carry the version that served."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

import numpy as np
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily, Metric
from prometheus_client.exposition import generate_latest
from prometheus_client.registry import Collector, CollectorRegistry

from gateway.core.report import MemoryUse
from gateway.core.summary import LATENCY_EDGES_NS, Counts, Window
from gateway.core.types import Outcome, Role

MOST_SERIES = 500
_SECONDS = (
    *(0.00005, 0.0001, 0.0002, 0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5),
    *(1.0, 2.0, 5.0, 10.0, 30.0),
)
# Upper bounds are rounded down to a fine edge (5 % at most), so that the counts under them are exact.
_CUTS = np.searchsorted(LATENCY_EDGES_NS, np.array(_SECONDS) * 1e9, side="right") - 1
_EDGES = LATENCY_EDGES_NS.astype(np.float64)
_MIDDLES = np.concatenate([_EDGES[:1], np.sqrt(_EDGES[:-1] * _EDGES[1:]), _EDGES[-1:]])


@dataclass(slots=True)
class _Series:
    outcomes: dict[Outcome, int] = field(default_factory=dict)
    latency: Counts = field(default_factory=lambda: np.zeros(len(LATENCY_EDGES_NS) + 1, np.int64))
    rows: int = 0
    dropped: int = 0


class Metrics(Collector):
    """Cumulative counts by (model, version, role). Safe to feed from one thread and render in another.

    Args:
        most_series: label sets kept; the ones without traffic for longest go first.
    """

    def __init__(self, most_series: int = MOST_SERIES) -> None:
        self._most = most_series
        self._series: dict[tuple[str, int, Role], _Series] = {}  # longest without traffic first
        self._shadow_dropped = 0
        self._refused: dict[str, int] = {}
        self._shed = 0
        self._wedged = 0
        self._generation = 0
        self._memory = MemoryUse()
        self._registry = CollectorRegistry(auto_describe=False)
        self._registry.register(self)

    def absorb(self, windows: Iterable[Window]) -> None:
        for window in windows:
            key = (window.model, window.version, window.role)
            old = self._series.pop(key, None) or _Series()
            outcomes = {o: old.outcomes.get(o, 0) + n for o, n in window.outcomes.items()}
            self._series[key] = _Series(
                {**old.outcomes, **outcomes},
                old.latency + window.latency,
                old.rows + window.rows,
                old.dropped + window.dropped,
            )
        while len(self._series) > self._most:
            del self._series[next(iter(self._series))]

    def set_shadow_dropped(self, total: int) -> None:
        self._shadow_dropped = total

    def set_refused(self, limited: Mapping[str, int], shed: int) -> None:
        """Totals of requests turned away: at a model's limit, by model, and by a loop that was behind."""
        self._refused = dict(limited)
        self._shed = shed

    def set_wedged(self, total: int) -> None:
        """Runs that were ended because they took too long."""
        self._wedged = total

    def set_routes(self, generation: int) -> None:
        """The route table's generation in force."""
        self._generation = generation

    def set_memory(self, use: MemoryUse) -> None:
        self._memory = use

    def render(self) -> bytes:
        """The Prometheus text exposition format."""
        return generate_latest(self._registry)

    def collect(self) -> Iterable[Metric]:
        labels = ["model", "version", "role"]
        requests = CounterMetricFamily(
            "headrace_requests", "Requests by outcome.", labels=[*labels, "outcome"]
        )
        latency = HistogramMetricFamily(
            "headrace_request_latency_seconds", "Time to answer, as the worker sees it.", labels=labels
        )
        rows = CounterMetricFamily("headrace_rows", "Rows of answered requests.", labels=labels)
        dropped = CounterMetricFamily("headrace_tap_dropped", "Records without room.", labels=labels)
        for (model, version, role), series in self._series.copy().items():
            values = [model, str(version), role.value]
            for outcome, n in series.outcomes.items():
                requests.add_metric([*values, outcome.value], n)
            latency.add_metric(values, _buckets(series.latency), float(series.latency @ _MIDDLES) / 1e9)
            rows.add_metric(values, series.rows)
            dropped.add_metric(values, series.dropped)
        yield from (requests, latency, rows, dropped)
        refused = CounterMetricFamily("headrace_refused", "Requests over a model's limit.", labels=["model"])
        for model, total in self._refused.items():
            refused.add_metric([model], total)
        yield refused
        yield CounterMetricFamily("headrace_shed", "Requests refused by a worker that is behind.", self._shed)
        yield CounterMetricFamily("headrace_wedged_runs", "Runs ended for taking too long.", self._wedged)
        yield CounterMetricFamily("headrace_shadow_dropped", "Copies not run.", self._shadow_dropped)
        yield GaugeMetricFamily("headrace_route_generation", "Route table in force.", self._generation)
        use = self._memory
        yield GaugeMetricFamily("headrace_loaded_versions", "Versions in memory.", use.versions)
        yield GaugeMetricFamily("headrace_loaded_bytes", "Memory that they take.", use.held_bytes)
        yield GaugeMetricFamily(
            "headrace_memory_budget_bytes", "Memory that they may take.", use.budget_bytes
        )
        yield CounterMetricFamily("headrace_version_loads", "Versions brought into memory.", use.loads)
        yield CounterMetricFamily("headrace_version_evictions", "Versions that made room.", use.evictions)


def _buckets(latency: Counts) -> list[tuple[str, float]]:
    cumulated = np.cumsum(latency)
    bounds = [(repr(bound), float(cumulated[cut])) for bound, cut in zip(_SECONDS, _CUTS, strict=True)]
    return [*bounds, ("+Inf", float(cumulated[-1]))]
