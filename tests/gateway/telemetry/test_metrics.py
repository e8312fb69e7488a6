from collections.abc import Iterable

from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from gateway.core.figures import Figures, Refusals, Run
from gateway.core.summary import Window
from gateway.core.types import Role
from gateway.telemetry.metrics import Metrics
from tests.gateway.telemetry.exposed import value


class Other(Collector):
    def collect(self) -> Iterable[Metric]:
        yield GaugeMetricFamily("other", "Of somebody else.", 3)


def test_one_text_has_traffic_workers_and_what_else_is_given() -> None:
    metrics = Metrics(list, Other())
    metrics.absorb([Window.empty("m", 1, Role.CHAMPION, 7)])
    metrics.absorb_figures(Figures.of([(("m", 1), Run((0,), 1, 2, 3, 1))], Refusals(shed=2)))
    text = metrics.render().decode()
    assert value(text, "headrace_rows_total", model="m", version="1", role="champion") == 0
    assert value(text, "headrace_batch_requests_count", model="m", version="1") == 1
    assert value(text, "headrace_shed_total") == 2
    assert value(text, "other") == 3
