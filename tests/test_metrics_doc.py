"""docs/metrics.md names every family that is exposed, with its type and labels, and no other."""

import re
from pathlib import Path

import pytest
from prometheus_client.core import Metric

from gateway.core.disagreement import Disagreement
from gateway.core.figures import CacheUse, Refusals, Run, Stages
from gateway.core.report import WorkerReport
from gateway.core.summary import Window
from gateway.core.types import Outcome, Role
from gateway.server.edge_metrics import families, rows
from gateway.telemetry.traffic_metrics import TrafficMetrics
from gateway.telemetry.worker_metrics import WorkerMetrics
from lifecycle.adapters.metrics import ControlMetrics
from tests.lifecycle.desk import open_desk

ROOT = Path(__file__).resolve().parents[1]
ROW = re.compile(r"^\| `(\w+)` \| (\w+) \| ([\w, ]*?) ?\|", re.MULTILINE)
STATS = "# pxname,svname,status\nhttp,FRONTEND,OPEN\nworkers,w0,UP\nworkers,BACKEND,UP\n"


def traffic() -> TrafficMetrics:
    metrics = TrafficMetrics()
    served = Window.empty("m", 1, Role.CHAMPION, 1)
    protocols = {("http", Outcome.OK): 1}
    metrics.absorb([Window(*served.key, 0, 1, {}, protocols, served.latency, 1, {}, 0)])
    metrics.absorb([Window.of_pairs(("m", 2, Role.SHADOW, 1), 1.0, Disagreement(1))])
    metrics.absorb_stages({("m", 1): Stages.of([Run((0,), 1, 2, 3, 1)])})
    return metrics


@pytest.fixture
def exposed(tmp_path: Path) -> list[Metric]:
    workers = WorkerMetrics(lambda: [WorkerReport("worker-0-1", 1)])
    workers.absorb(Refusals({"m": 1}), CacheUse({"m": 1}, {"m": 1}))
    desk, store, _ = open_desk(tmp_path)
    control = ControlMetrics(store, desk.monitor, lambda: {"worker-0": 1})
    found = [*traffic().collect(), *workers.collect(), *control.collect(), *families(rows(STATS))]
    store.close()
    return found


def test_the_page_and_the_exposition_agree(exposed: list[Metric]) -> None:
    told = {
        name: (kind, labels) for name, kind, labels in ROW.findall((ROOT / "docs/metrics.md").read_text())
    }
    seen = {f"{m.name}_total" if m.type == "counter" else m.name: m for m in exposed}
    assert {name: metric.type for name, metric in seen.items()} == {
        name: kind for name, (kind, _) in told.items()
    }
    for name, metric in seen.items():
        named = set(filter(None, told[name][1].split(", ")))
        for sample in metric.samples:
            assert set(sample.labels) - {"le"} == named, name


def test_alerts_ask_for_metrics_that_exist() -> None:
    known = {name for name, _, _ in ROW.findall((ROOT / "docs" / "metrics.md").read_text())}
    asked = set(re.findall(r"headrace_\w+", (ROOT / "deploy" / "alerts.yml").read_text()))
    assert asked
    assert asked <= known


def test_names_follow_the_conventions(exposed: list[Metric]) -> None:
    for metric in exposed:
        assert re.fullmatch(r"headrace_[a-z_]+[a-z]", metric.name)
        if metric.type == "histogram":
            assert metric.name.endswith(("_seconds", "_requests")), metric.name
        assert metric.documentation.endswith("."), metric.name
