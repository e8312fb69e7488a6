"""What workers are and what they turned away, as Prometheus families. `worker` is a slot: few."""

from collections.abc import Callable, Iterable

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from gateway.core.figures import UNUSED, CacheUse, Refusals
from gateway.core.report import WorkerReport


class WorkerMetrics(Collector):
    """Args: `reports` gives the newest word of every live worker."""

    def __init__(self, reports: Callable[[], Iterable[WorkerReport]]) -> None:
        self._reports = reports
        self._refusals = Refusals()
        self._cache = UNUSED

    def absorb(self, refusals: Refusals, cache: CacheUse = UNUSED) -> None:
        self._refusals = self._refusals.merge(refusals)
        self._cache = self._cache.merge(cache)

    def collect(self) -> Iterable[Metric]:
        seen = self._refusals
        limited = CounterMetricFamily("headrace_refused", "Requests over a model's limit.", labels=["model"])
        for model, total in seen.limited.items():
            limited.add_metric([model], total)
        yield limited
        for name, text, counts in (
            ("headrace_cache_hits", "Requests answered from a response cache.", self._cache.hits),
            ("headrace_cache_misses", "Requests of cached models that had to run.", self._cache.misses),
        ):
            family = CounterMetricFamily(name, text, labels=["model"])
            for model, n in counts.items():
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
            family = GaugeMetricFamily(name, text, labels=["worker"])
            for report in reports:
                family.add_metric([report.slot], value(report))
            yield family
        for name, text, count in _COUNTERS:
            counter = CounterMetricFamily(name, text, labels=["worker"])
            for report in reports:
                counter.add_metric([report.slot], count(report))
            yield counter


Told = tuple[tuple[str, str, Callable[[WorkerReport], float]], ...]
_GAUGES: Told = (
    ("headrace_route_generation", "Route table in force.", lambda report: report.generation),
    ("headrace_loaded_versions", "Versions in memory.", lambda report: report.memory.versions),
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
