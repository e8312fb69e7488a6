from dataclasses import replace

import numpy as np

from gateway.core.disagreement import Disagreement
from gateway.core.figures import Run, Stages
from gateway.core.summary import Window, latency_histogram
from gateway.core.types import Outcome, Role
from gateway.telemetry.traffic_metrics import TrafficMetrics
from tests.gateway.telemetry.exposed import exposition, value

SERVED = {"model": "m", "version": "1", "role": "champion"}
RUN = Run((0, 0, 0), 1_000_000, 2_000_000, 9_000_000, 3)


def window(model: str = "m", answers: int = 1, dropped: int = 0) -> Window:
    latency = latency_histogram(np.full(answers, 1_000_000, np.int64))
    protocols = {("grpc", Outcome.OK): answers}
    counts = {Outcome.OK: answers}
    return Window(model, 1, Role.CHAMPION, 7, 0, 1, counts, protocols, latency, 2 * answers, {}, dropped)


def test_counts_add_up_over_windows() -> None:
    metrics = TrafficMetrics()
    metrics.absorb([window(dropped=3)])
    metrics.absorb([window(answers=2), replace(window(), protocols={("http", Outcome.SERVER_ERROR): 5})])
    text = exposition(metrics)
    assert value(text, "headrace_requests_total", **SERVED, protocol="grpc", outcome="ok") == 3
    assert value(text, "headrace_requests_total", **SERVED, protocol="http", outcome="server_error") == 5
    assert value(text, "headrace_request_latency_seconds_count", **SERVED) == 4
    assert value(text, "headrace_rows_total", **SERVED) == 8
    assert value(text, "headrace_tap_dropped_total", **SERVED) == 3


def test_a_shadows_pairs_are_told_by_their_agreement() -> None:
    metrics = TrafficMetrics()
    shadow = Window.of_pairs(("m", 2, Role.SHADOW, 1), 1.0, Disagreement(pairs=10, differing=4))
    metrics.absorb([window(), shadow])
    text = exposition(metrics)
    assert value(text, "headrace_shadow_pairs_total", model="m", version="2", answer="same") == 6
    assert value(text, "headrace_shadow_pairs_total", model="m", version="2", answer="different") == 4
    assert value(text, "headrace_shadow_pairs_total", model="m", version="1", answer="same") is None


def test_the_pools_time_is_split_into_stages() -> None:
    metrics = TrafficMetrics()
    for _ in range(2):
        metrics.absorb_stages({("m", 1): Stages.of([RUN])})
    text = exposition(metrics)
    for stage, ms in (("batch_wait", 1), ("queue", 1), ("compute", 7)):
        labels = {"model": "m", "version": "1", "stage": stage}
        assert value(text, "headrace_stage_seconds_count", **labels) == 6
        assert abs((value(text, "headrace_stage_seconds_sum", **labels) or 0) - 0.006 * ms) < 0.0005 * ms
    batch = {"model": "m", "version": "1"}
    assert value(text, "headrace_batch_requests_count", **batch) == 2
    assert value(text, "headrace_batch_requests_sum", **batch) == 6
    assert value(text, "headrace_batch_requests_bucket", **batch, le="2") == 0


def test_series_stay_few_and_the_idle_ones_go_first() -> None:
    metrics = TrafficMetrics(most_series=2)
    for model in ("a", "b", "a", "c"):
        metrics.absorb([window(model)])
        metrics.absorb_stages({(model, 1): Stages.of([RUN])})
    text = exposition(metrics)
    rows = {model: value(text, "headrace_rows_total", **{**SERVED, "model": model}) for model in "abc"}
    assert rows == {"a": 4, "b": None, "c": 2}
    assert value(text, "headrace_batch_requests_count", model="b", version="1") is None


def test_labels_are_escaped() -> None:
    metrics = TrafficMetrics()
    metrics.absorb([window('a"\n\\b')])
    assert value(exposition(metrics), "headrace_rows_total", **{**SERVED, "model": 'a"\n\\b'}) == 2
