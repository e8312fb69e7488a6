"""What a real HAProxy counts, as it is scraped."""

from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from gateway.server.edge.metrics import EdgeMetrics, read
from gateway.server.run_dir import stats_socket
from tests.gateway.node import Node, config_of
from tests.gateway.telemetry.exposed import exposition, value


@pytest.fixture(scope="module")
def node(logistic: bytes, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Node]:
    with Node(config_of(tmp_path_factory.mktemp("home")), {"m": logistic}) as node:
        yield node


def test_the_edges_counters_are_told(node: Node) -> None:
    for path in ("/v2", "/v2", "/nothing"):
        httpx.get(f"http://127.0.0.1:{node.edge[0]}{path}")
    text = exposition(EdgeMetrics(lambda: {"": read(stats_socket(node.config.run_dir))}))
    assert value(text, "headrace_edge_requests_total", frontend="http") == 3
    assert value(text, "headrace_edge_responses_total", frontend="http", code="2xx") == 2
    assert value(text, "headrace_edge_responses_total", frontend="http", code="4xx") == 1
    assert value(text, "headrace_edge_connections", frontend="http") == 0
    assert value(text, "headrace_edge_worker_up", worker="worker-0") == 1
    assert value(text, "headrace_edge_worker_up", worker="worker-1") == 0
    assert value(text, "headrace_edge_retries_total", backend="workers") == 0


def test_an_edge_that_is_away_tells_nothing(tmp_path: Path) -> None:
    text = exposition(EdgeMetrics(lambda: {"": read(tmp_path / "none.sock")}))
    assert "# TYPE headrace_edge_requests_total counter" in text
    assert value(text, "headrace_edge_requests_total", frontend="http") is None


def test_every_node_is_told_apart() -> None:
    stats = "# pxname,svname,status,req_tot\nhttp,FRONTEND,OPEN,{}\nworkers,w0,UP,\nworkers,BACKEND,UP,\n"
    text = exposition(EdgeMetrics(lambda: {"a-1": stats.format(3), "b-2": stats.format(5)}))
    assert value(text, "headrace_edge_requests_total", node="a-1", frontend="http") == 3
    assert value(text, "headrace_edge_requests_total", node="b-2", frontend="http") == 5
    assert value(text, "headrace_edge_worker_up", node="b-2", worker="worker-0") == 1
