"""What versions answered, as Prometheus families. Labels carry the version that served."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import TypeVar

import numpy as np
from prometheus_client.core import CounterMetricFamily, HistogramMetricFamily, Metric
from prometheus_client.registry import Collector

from gateway.core.figures import Stages
from gateway.core.summary import LATENCY_EDGES_NS, Counts, Window
from gateway.core.types import Outcome, Role, VersionKey
from gateway.telemetry.histograms import of_batches, of_latencies

MOST_SERIES = 500
K = TypeVar("K")
V = TypeVar("V")


@dataclass(slots=True)
class _Series:
    requests: Counter[tuple[str, Outcome]] = field(default_factory=Counter)
    latency: Counts = field(default_factory=lambda: np.zeros(len(LATENCY_EDGES_NS) + 1, np.int64))
    rows: int = 0
    dropped: int = 0
    pairs: int = 0
    differing: int = 0

    def and_of(self, window: Window) -> "_Series":
        return _Series(
            self.requests + Counter(window.protocols),
            self.latency + window.latency,
            self.rows + window.rows,
            self.dropped + window.dropped,
            self.pairs + window.disagreement.pairs,
            self.differing + window.disagreement.differing,
        )


class TrafficMetrics(Collector):
    """Cumulative counts by (model, version, role). Safe to feed from one thread and render in another.

    Args:
        most_series: label sets kept; the ones without traffic for longest go first.
    """

    def __init__(self, most_series: int = MOST_SERIES) -> None:
        self._most = most_series
        self._series: dict[tuple[str, int, Role], _Series] = {}  # longest without traffic first
        self._stages: dict[VersionKey, Stages] = {}  # likewise

    def absorb(self, windows: Iterable[Window]) -> None:
        for window in windows:
            key = (window.model, window.version, window.role)
            self._series[key] = (self._series.pop(key, None) or _Series()).and_of(window)
        self._bound(self._series)

    def absorb_stages(self, stages: Mapping[VersionKey, Stages]) -> None:
        for key, fresh in stages.items():
            known = self._stages.pop(key, None)
            self._stages[key] = known.merge(fresh) if known else fresh
        self._bound(self._stages)

    def _bound(self, kept: dict[K, V]) -> None:
        while len(kept) > self._most:
            del kept[next(iter(kept))]

    def collect(self) -> Iterable[Metric]:
        labels = ["model", "version", "role"]
        requests = CounterMetricFamily(
            "headrace_requests", "Requests by outcome.", labels=[*labels, "protocol", "outcome"]
        )
        latency = HistogramMetricFamily(
            "headrace_request_latency_seconds", "Time to answer, as the worker sees it.", labels=labels
        )
        rows = CounterMetricFamily("headrace_rows", "Rows of answered requests.", labels=labels)
        dropped = CounterMetricFamily(
            "headrace_tap_dropped", "Records the tap had no room for.", labels=labels
        )
        pairs = CounterMetricFamily(
            "headrace_shadow_pairs",
            "Shadow answers beside the champion's.",
            labels=["model", "version", "answer"],
        )
        for (model, version, role), series in self._series.copy().items():
            values = [model, str(version), role.value]
            for (protocol, outcome), n in series.requests.items():
                requests.add_metric([*values, protocol, outcome.value], n)
            latency.add_metric(values, *of_latencies(series.latency))
            rows.add_metric(values, series.rows)
            dropped.add_metric(values, series.dropped)
            if role is Role.SHADOW:
                pairs.add_metric([model, str(version), "same"], series.pairs - series.differing)
                pairs.add_metric([model, str(version), "different"], series.differing)
        yield from (requests, latency, rows, dropped, pairs)
        yield from self._pool()

    def _pool(self) -> Iterable[Metric]:
        labels = ["model", "version"]
        stage = HistogramMetricFamily(
            "headrace_stage_seconds",
            "Where requests in the pool spent their time.",
            labels=[*labels, "stage"],
        )
        batch = HistogramMetricFamily(
            "headrace_batch_requests", "Requests joined in one run of the pool.", labels=labels
        )
        for (model, version), stages in self._stages.copy().items():
            values = [model, str(version)]
            for name in ("batch_wait", "queue", "compute"):
                stage.add_metric([*values, name], *of_latencies(getattr(stages, name)))
            batch.add_metric(values, of_batches(stages.batches), float(stages.requests))
        yield from (stage, batch)
