"""Everything that is counted, as Prometheus text: of one worker, or of all workers of a node added up."""

from collections.abc import Callable, Iterable

from prometheus_client.exposition import generate_latest
from prometheus_client.registry import Collector, CollectorRegistry

from gateway.core.figures import Figures
from gateway.core.report import WorkerReport
from gateway.core.summary import Window
from gateway.telemetry.traffic_metrics import TrafficMetrics
from gateway.telemetry.worker_metrics import WorkerMetrics

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"


class Metrics:
    """The text that Prometheus scrapes.

    Args:
        reports: gives the newest report of every live worker.
        others: collectors that are rendered as well.
    """

    def __init__(self, reports: Callable[[], Iterable[WorkerReport]], *others: Collector) -> None:
        self._traffic = TrafficMetrics()
        self._workers = WorkerMetrics(reports)
        self._registry = CollectorRegistry(auto_describe=False)
        for collector in (self._traffic, self._workers, *others):
            self._registry.register(collector)

    def absorb(self, windows: Iterable[Window]) -> None:
        self._traffic.absorb(windows)

    def absorb_figures(self, figures: Figures) -> None:
        self._traffic.absorb_stages(figures.stages)
        self._workers.absorb(figures.refusals, figures.cache)

    def render(self) -> bytes:
        """The Prometheus text exposition format."""
        return generate_latest(self._registry)
