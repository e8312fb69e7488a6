"""What edges count, as Prometheus families: read from HAProxy's stats sockets.

An edge that does not answer leaves its families empty and nothing else.
"""

import csv
import socket
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

_PATIENCE_S = 0.5
_FRONTENDS = (
    ("headrace_edge_connections_opened", "Connections of clients.", "conn_tot"),
    ("headrace_edge_requests", "Requests of clients.", "req_tot"),
    ("headrace_edge_received_bytes", "Bytes from clients.", "bin"),
    ("headrace_edge_sent_bytes", "Bytes to clients.", "bout"),
    ("headrace_edge_bad_requests", "Requests that the edge refused as malformed.", "ereq"),
)
_BACKENDS = (
    ("headrace_edge_retries", "Requests sent again.", "wretr"),
    ("headrace_edge_redispatches", "Requests sent again to another worker.", "wredis"),
    ("headrace_edge_connect_errors", "Connections to workers that failed.", "econ"),
    ("headrace_edge_response_errors", "Answers that broke off.", "eresp"),
)
_CODES = ("1xx", "2xx", "3xx", "4xx", "5xx")
Row = Mapping[str, str]


class EdgeMetrics(Collector):
    """Tells of every node's edge.

    Args:
        told: gives what each node's HAProxy says, as `read` reads it, by the node's name.
    """

    def __init__(self, told: Callable[[], Mapping[str, str]]) -> None:
        self._told = told

    def collect(self) -> Iterable[Metric]:
        return families([row for node, text in self._told().items() for row in rows(text, node)])


def read(stats: Path, command: str = "show stat\n") -> str:
    """What HAProxy answers, by default its counters as CSV; empty if it does not."""
    said = bytearray()
    try:
        with socket.socket(socket.AF_UNIX) as asking:
            asking.settimeout(_PATIENCE_S)
            asking.connect(str(stats))
            asking.sendall(command.encode())
            while part := asking.recv(65_536):
                said += part
    except OSError:
        return ""
    return said.decode(errors="replace")


def rows(text: str, node: str = "") -> list[Row]:
    """One row per frontend, backend and server, each with its `node`."""
    return [{**row, "node": node} for row in csv.DictReader(text.removeprefix("# ").splitlines())]


def families(seen: list[Row]) -> list[Metric]:
    """HAProxy's counters under Headrace's names, by frontend, backend and worker."""
    fronts = [row for row in seen if row["svname"] == "FRONTEND"]
    backs = [row for row in seen if row["svname"] == "BACKEND"]
    workers = [row for row in seen if row["pxname"] == "workers" and row["svname"] != "BACKEND"]
    opened = GaugeMetricFamily("headrace_edge_connections", "Open connections.", labels=["node", "frontend"])
    answers = CounterMetricFamily(
        "headrace_edge_responses", "Answers by class of status.", labels=["node", "frontend", "code"]
    )
    for row in fronts:
        opened.add_metric([row["node"], row["pxname"]], _number(row, "scur"))
        for code in _CODES:
            answers.add_metric([row["node"], row["pxname"], code], _number(row, f"hrsp_{code}"))
    queued = GaugeMetricFamily(
        "headrace_edge_queued", "Requests that wait for a worker.", labels=["node", "backend"]
    )
    for row in backs:
        queued.add_metric([row["node"], row["pxname"]], _number(row, "qcur"))
    up = GaugeMetricFamily(
        "headrace_edge_worker_up", "1 while the edge sends requests.", labels=["node", "worker"]
    )
    for row in workers:
        place = (row["node"], f"worker-{row['svname'].removeprefix('w')}")
        up.add_metric(place, float(row["status"].startswith("UP")))
    return [
        opened,
        answers,
        queued,
        up,
        *(_counter(name, text, "frontend", fronts, column) for name, text, column in _FRONTENDS),
        *(_counter(name, text, "backend", backs, column) for name, text, column in _BACKENDS),
    ]


def _counter(name: str, text: str, label: str, seen: list[Row], column: str) -> Metric:
    family = CounterMetricFamily(name, text, labels=["node", label])
    for row in seen:
        family.add_metric([row["node"], row["pxname"]], _number(row, column))
    return family


def _number(row: Row, column: str) -> float:
    return float(row.get(column) or 0)
