"""What people see of a real cluster: one scrape of the node, a shadow's answers beside the champion's."""

import re
from collections.abc import Callable
from pathlib import Path

import httpx
import pytest

from lifecycle.client import Client
from tests.e2e.harness import Cluster, Load, workers
from tests.gateway.telemetry.exposed import value

Deployed = Callable[[int], tuple[str, Client]]
Until = Callable[[Callable[[], bool], float, str], None]
pytestmark = pytest.mark.e2e

ROW = {"inputs": [{"name": "x", "shape": [1, 4], "datatype": "FP32", "data": [1.0, 2.0, 3.0, 4.0]}]}
REQUESTS = 200
DEPLOY = Path(__file__).resolve().parents[2] / "deploy"


def test_one_scrape_covers_the_node_and_a_shadow_is_compared(
    cluster: Cluster, deployed: Deployed, until: Until
) -> None:
    model, client = deployed(2)
    cluster.headrace("traffic", "set", model, "1=100", "--shadow", "2")
    url = f"http://127.0.0.1:{cluster.http}/v2/models/{model}/infer"
    with httpx.Client() as caller:
        answers = [caller.post(url, json=ROW) for _ in range(REQUESTS)]
    assert {answer.status_code for answer in answers} == {200}

    def scrape() -> str:
        return httpx.get(f"{cluster.url}/metrics").text

    served = {"model": model, "version": "1", "role": "champion", "protocol": "http", "outcome": "ok"}
    until(
        lambda: value(scrape(), "headrace_requests_total", **served) == REQUESTS,
        20,
        "both workers' requests are counted",
    )
    until(
        lambda: (
            value(scrape(), "headrace_shadow_pairs_total", model=model, version="2", answer="different")
            == REQUESTS
        ),
        20,
        "every pair is compared",
    )
    text = scrape()
    families = set(re.findall(r"^# TYPE (\w+)", text, re.MULTILINE))
    for file in ("alerts.yml", "grafana.json"):
        asked = set(re.findall(r"headrace_\w+", (DEPLOY / file).read_text()))
        assert {re.sub("_(bucket|sum|count)$", "", name) for name in asked} <= families
    slots = {name.rpartition("-")[0] for name in workers(client)}
    assert len(slots) == 2
    for worker in slots:
        assert (value(text, "headrace_loaded_versions", worker=worker, placement="inline") or 0) >= 2
        assert (value(text, "headrace_worker_starts_total", worker=worker) or 0) >= 1
        assert value(text, "headrace_edge_worker_up", worker=worker) == 1
    assert (value(text, "headrace_edge_requests_total", frontend="http") or 0) >= REQUESTS
    assert (value(text, "headrace_decisions_total", kind="traffic.set") or 0) >= 1
    assert (value(text, "headrace_controller_tick_seconds_count") or 0) > 1

    bad = {"id": "r-bad", "inputs": [{**ROW["inputs"][0], "shape": [1, 4, 1]}]}
    assert httpx.post(url, json=bad).status_code == 400
    (line,) = cluster.headrace("logs", "--home", str(cluster.home), "--model", model, "-n", "1").splitlines()
    assert "a request failed" in line
    assert "request_id=r-bad" in line
    assert "outcome=client_error" in line

    prediction = answers[-1].headers["x-headrace-prediction-id"]
    said = cluster.headrace("audit", "--prediction", prediction)
    assert "shadow 2" in said
    assert "answered otherwise" in said


def test_what_was_asked_before_is_answered_from_the_cache(
    cluster: Cluster, deployed: Deployed, load: Callable[[str], Load], until: Until
) -> None:
    model, client = deployed(2)
    cluster.headrace("model", "cache", model, "--max-mb", "1")

    def counted(what: str) -> float:
        return (
            value(httpx.get(f"{cluster.url}/metrics").text, f"headrace_cache_{what}_total", model=model) or 0
        )

    with load(model) as callers:  # over HTTP and gRPC, always the same two rows
        until(lambda: counted("hits") > 500, 60, "answers from the cache")
        asked = counted("misses")
        client.set_traffic(model, {2: 100})
        until(lambda: callers.served.get(2, 0) > 500, 30, "the other version")
        until(lambda: counted("misses") > asked, 30, "its first run")
    assert callers.failures == []  # each answer is of the version that it names
    url = f"http://127.0.0.1:{cluster.http}/v2/models/{model}/infer"
    ids = {httpx.post(url, json=ROW).headers["x-headrace-prediction-id"] for _ in range(4)}
    assert len(ids) == 4
