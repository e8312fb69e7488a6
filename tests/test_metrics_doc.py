"""docs/metrics.md names every family that is exposed, with its type and labels, and no other."""

import json
import re
from pathlib import Path

import pytest
from prometheus_client.core import Metric

from gateway.core.disagreement import Disagreement
from gateway.core.figures import CacheUse, Refusals, Run, Stages
from gateway.core.placement import Placement
from gateway.core.report import MemoryUse, Place, WorkerReport
from gateway.core.summary import Window
from gateway.core.types import Outcome, Role
from gateway.server.edge.metrics import families, rows
from gateway.telemetry.traffic_metrics import TrafficMetrics
from gateway.telemetry.worker_metrics import WorkerMetrics
from lifecycle.adapters.metrics import ControlMetrics
from tests.lifecycle.desk import open_desk

ROOT = Path(__file__).resolve().parents[1]
ROW = re.compile(r"^\| `(\w+)` \| (\w+) \| ([\w, ]*?) ?\|", re.MULTILINE)
DASHBOARD = json.loads((ROOT / "deploy" / "grafana.json").read_text())
EXPRESSIONS = [target["expr"] for panel in DASHBOARD["panels"] for target in panel.get("targets", ())]


def _labels() -> dict[str, set[str]]:
    """By name of a series, as the page says; a histogram has three."""
    found: dict[str, set[str]] = {}
    for name, kind, told in ROW.findall((ROOT / "docs" / "metrics.md").read_text()):
        labels = set(filter(None, told.split(", ")))
        histogram = {f"{name}_bucket": labels | {"le"}, f"{name}_sum": labels, f"{name}_count": labels}
        found |= histogram if kind == "histogram" else {name: labels}
    return found


LABELS = _labels()
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
    workers = WorkerMetrics(lambda: [WorkerReport("worker-0-1", 1, memory=MemoryUse({Placement.POOL: 1}))])
    workers.absorb(Refusals({"m": 1}), CacheUse({"m": 1}, {"m": 1}))
    desk, store, _ = open_desk(tmp_path)
    control = ControlMetrics(store, desk.monitor, desk.estimates, lambda: {Place("", "worker-0"): 1}, int)
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


@pytest.mark.parametrize("expr", EXPRESSIONS)
def test_the_dashboard_asks_for_metrics_and_labels_that_exist(expr: str) -> None:
    asked = set(re.findall(r"headrace_\w+", expr))
    assert asked
    assert asked <= LABELS.keys()
    labels = set.intersection(*(LABELS[name] for name in asked))
    for grouped in re.findall(r"by \(([^)]*)\)", expr):
        assert set(grouped.split(", ")) <= labels
    for name, matchers in re.findall(r"(headrace_\w+)\{([^}]*)\}", expr):
        assert set(re.findall(r"(\w+)(?:=~|!=|=)", matchers)) <= LABELS[name]


def test_the_dashboards_legends_name_labels_that_are_left() -> None:
    for panel in DASHBOARD["panels"]:
        for target in panel.get("targets", ()):
            grouped = re.findall(r"by \(([^)]*)\)", target["expr"])
            (name, *_) = re.findall(r"headrace_\w+", target["expr"])
            left = set(grouped[0].split(", ")) if grouped else LABELS[name]
            assert set(re.findall(r"{{(\w+)}}", target["legendFormat"])) <= left - {"le"}, panel["title"]


def test_every_metric_is_on_the_dashboard() -> None:
    shown = set(re.findall(r"headrace_\w+", " ".join(EXPRESSIONS)))
    whole = {re.sub("_(bucket|sum|count)$", "", name) for name in shown}
    assert whole == {name for name, _, _ in ROW.findall((ROOT / "docs/metrics.md").read_text())}


def test_names_follow_the_conventions(exposed: list[Metric]) -> None:
    for metric in exposed:
        assert re.fullmatch(r"headrace_[a-z_]+[a-z]", metric.name)
        if metric.type == "histogram":
            assert metric.name.endswith(("_seconds", "_requests")), metric.name
        assert metric.documentation.endswith("."), metric.name
