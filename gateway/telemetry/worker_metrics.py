"""What workers are and what they turned away, as Prometheus families. `node` and `worker` are few."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from gateway.core.figures import UNUSED, CacheUse, Refusals
from gateway.core.report import WorkerReport
from gateway.telemetry.traffic_metrics import MOST_SERIES

PLACE = ("node", "worker")


class WorkerMetrics(Collector):
    """Safe to feed from one thread and render in another.

    Args:
        reports: gives the newest word of every live worker.
        most_series: models that are told of by name; the ones without news for longest go first.
    """

    def __init__(self, reports: Callable[[], Iterable[WorkerReport]], most_series: int = MOST_SERIES) -> None:
        self._reports = reports
        self._most = most_series
        self._refusals = Refusals()
        self._limited: dict[str, int] = {}
        self._hits: dict[str, int] = {}
        self._misses: dict[str, int] = {}

    def absorb(self, refusals: Refusals, cache: CacheUse = UNUSED) -> None:
        self._refusals = self._refusals.merge(replace(refusals, limited={}))
        self._add(self._limited, refusals.limited)
        self._add(self._hits, cache.hits)
        self._add(self._misses, cache.misses)

    def _add(self, told: dict[str, int], more: Mapping[str, int]) -> None:
        for model, n in more.items():
            told[model] = told.pop(model, 0) + n
        while len(told) > self._most:
            del told[next(iter(told))]

    def collect(self) -> Iterable[Metric]:
        seen = self._refusals
        for name, text, counts in (
            ("headrace_refused", "Requests over a model's limit or its queue.", self._limited),
            ("headrace_cache_hits", "Requests answered from a response cache.", self._hits),
            ("headrace_cache_misses", "Requests of cached models that had to run.", self._misses),
        ):
            family = CounterMetricFamily(name, text, labels=["model"])
            for model, n in counts.copy().items():
                family.add_metric([model], n)
            yield family
        for name, text, total in (
            ("headrace_shed", "Requests refused by a worker that is behind.", seen.shed),
            ("headrace_connections_refused", "Connections over a worker's limit.", seen.connections),
            ("headrace_wedged_runs", "Runs ended for taking too long.", seen.wedged),
            ("headrace_shadow_dropped", "Copies that no shadow ran.", seen.shadow_copies),
            ("headrace_pairs_dropped", "Shadow answers that were not compared.", seen.pairs),
        ):
            yield CounterMetricFamily(name, text, total)
        yield from self._gauges()

    def _gauges(self) -> Iterable[Metric]:
        reports = list(self._reports())
        for name, text, value in _GAUGES:
            family = GaugeMetricFamily(name, text, labels=PLACE)
            for report in reports:
                family.add_metric(report.place, value(report))
            yield family
        loaded = GaugeMetricFamily(
            "headrace_loaded_versions", "Versions in memory.", labels=[*PLACE, "placement"]
        )
        for report in reports:
            for placement, n in report.memory.placements.items():
                loaded.add_metric([*report.place, placement], n)
        yield loaded
        for name, text, count in _COUNTERS:
            counter = CounterMetricFamily(name, text, labels=PLACE)
            for report in reports:
                counter.add_metric(report.place, count(report))
            yield counter


Told = tuple[tuple[str, str, Callable[[WorkerReport], float]], ...]
_GAUGES: Told = (
    ("headrace_route_generation", "Route table in force.", lambda report: report.generation),
    ("headrace_loaded_bytes", "Memory that they take.", lambda report: report.memory.held_bytes),
    ("headrace_memory_budget_bytes", "What they may take.", lambda report: report.memory.budget_bytes),
    ("headrace_failed_versions", "Versions that do not load.", lambda report: len(report.failed)),
    ("headrace_connections", "Open HTTP connections of a worker.", lambda report: report.connections),
    ("headrace_worker_resident_bytes", "Memory of a worker.", lambda report: report.resident_bytes),
)
_COUNTERS: Told = (
    ("headrace_version_loads", "Versions brought into memory.", lambda report: report.memory.loads),
    ("headrace_version_evictions", "Versions that made room.", lambda report: report.memory.evictions),
)
