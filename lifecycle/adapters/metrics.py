"""What the controller does and knows, as Prometheus families. Reads at scrape time; changes nothing."""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from threading import Lock

import numpy as np
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily, Metric
from prometheus_client.registry import Collector

from gateway.core.report import Place
from gateway.core.summary import latency_histogram
from gateway.telemetry.histograms import of_latencies
from gateway.telemetry.worker_metrics import PLACE
from lifecycle.commands.trail import trail
from lifecycle.core.estimation.expectation import Method
from lifecycle.core.performance.answers import Measure
from lifecycle.core.performance.standing import Performance
from lifecycle.errors import LifecycleError
from lifecycle.estimates import Estimates
from lifecycle.monitor import Monitor
from lifecycle.ports import Store

MOST_MODELS = 500


class ControlMetrics(Collector):
    """Rollouts, decisions, drift, labels, ticks and the starts of workers.

    While the registry is away, what it knows is left out, and nothing else.

    Args:
        starts: how often each slot's worker was seen to start.
        unsealed: records that no checkpoint of the ledger vouches for.
    """

    def __init__(
        self,
        store: Store,
        monitor: Monitor,
        estimates: Estimates,
        starts: Callable[[], Mapping[Place, int]],
        unsealed: Callable[[], int],
    ) -> None:
        self._store = store
        self._monitor = monitor
        self._estimates = estimates
        self._starts = starts
        self._unsealed = unsealed
        self._ticks = latency_histogram(np.zeros(0, np.int64))
        self._failed = 0
        self._kinds: Counter[str] = Counter()
        self._read_to = 0
        self._counting = Lock()

    def ticked(self, seconds: float, *, failed: bool) -> None:
        """Count one turn of the control loop."""
        self._ticks = self._ticks + latency_histogram(np.array([seconds * 1e9]).astype(np.int64))
        self._failed += failed

    def collect(self) -> Iterable[Metric]:
        with suppress(LifecycleError):
            yield from [self._rollouts(), self._decisions(), self._ledger(), *self._models()]
        ticks = HistogramMetricFamily("headrace_controller_tick_seconds", "Turns of the control loop.")
        ticks.add_metric([], *of_latencies(self._ticks))
        yield ticks
        yield CounterMetricFamily("headrace_controller_tick_failures", "Turns that failed.", self._failed)
        starts = CounterMetricFamily(
            "headrace_worker_starts", "Workers that came up in a slot.", labels=PLACE
        )
        for place, n in self._starts().items():
            starts.add_metric(place, n)
        yield starts

    def _rollouts(self) -> Metric:
        rollouts = GaugeMetricFamily("headrace_rollouts", "Active rollouts.", labels=["phase", "verdict"])
        active = Counter((str(r.phase), str(r.verdict)) for r in self._store.rollouts(active=True))
        for (phase, verdict), n in active.items():
            rollouts.add_metric([phase, verdict], n)
        return rollouts

    def _decisions(self) -> Metric:
        """Of the whole ledger, so a restart of the controller takes nothing away."""
        decisions = CounterMetricFamily("headrace_decisions", "Ledger records by kind.", labels=["kind"])
        with self._counting:  # each scrape has a thread of its own
            for record in trail(self._store, after=self._read_to):
                self._kinds[record.kind] += 1
                self._read_to = record.seq
            for kind, n in self._kinds.items():
                decisions.add_metric([kind], n)
        return decisions

    def _ledger(self) -> Metric:
        text = "Ledger records that no signed checkpoint vouches for yet."
        return GaugeMetricFamily("headrace_ledger_unsealed_records", text, self._unsealed())

    def _models(self) -> Iterable[Metric]:
        def gauge(name: str, text: str) -> GaugeMetricFamily:
            return GaugeMetricFamily(name, text, labels=["model"])

        alarm = gauge("headrace_drift_alarm", "1 while the champion's traffic has drifted.")
        drifted = gauge("headrace_drifted_features", "Features that differ from the reference.")
        fallen = gauge("headrace_accuracy_alarm", "1 while the champion's answers are worse than before.")
        coverage = gauge("headrace_label_coverage_ratio", "Captured champion answers that have a label.")
        estimated = gauge("headrace_estimated_accuracy_ratio", "The champion's, expected without labels.")
        error = gauge(
            "headrace_estimated_error", "The champion's mean absolute error, expected without labels."
        )
        doubted = gauge("headrace_estimated_accuracy_alarm", "1 while the estimates are clearly too bad.")
        for model in self._store.models()[:MOST_MODELS]:
            name = model.name
            signals = self._monitor.signals(name)
            if (report := self._monitor.drift(name)) is not None:
                alarm.add_metric([name], float(signals.drift_since is not None))
                drifted.add_metric([name], len(report.drifted))
            if (performance := self._monitor.performance(name)) is not None:
                fallen.add_metric([name], float(signals.fall is not None))
                coverage.add_metric([name], _coverage(performance))
            if series := self._estimates.series(name):
                doubted.add_metric([name], float(self._estimates.fell_at(name) is not None))
                if series[-1].method is not Method.NONE:
                    of = estimated if series[-1].measure is Measure.ACCURACY else error
                    of.add_metric([name], series[-1].value)
        return (alarm, drifted, fallen, coverage, estimated, error, doubted)


def _coverage(performance: Performance) -> float:
    cohorts = performance.cohorts.get(performance.champion, ())
    made = sum(cohort.predictions for cohort in cohorts)
    return sum(cohort.labelled for cohort in cohorts) / made if made else 0.0
