"""What a real cluster sees of answers: their range, what they brought, and what is normal for them."""

from collections.abc import Callable
from pathlib import Path

import httpx
import numpy as np
import pytest

from lifecycle.client import Client
from tests.e2e.harness import Cluster, signed

Until = Callable[[Callable[[], bool], float, str], None]
pytestmark = pytest.mark.e2e

MODEL = "watched"
ROWS = 100


def ask(http: httpx.Client, cluster: Cluster, seed: int, rows: int = 1) -> str:
    """One request; its prediction id."""
    data = np.random.default_rng(seed).normal(size=rows * 4).tolist()
    body = {"inputs": [{"name": "x", "shape": [rows, 4], "datatype": "FP32", "data": data}]}
    answer = http.post(f"http://127.0.0.1:{cluster.http}/v2/models/{MODEL}/infer", json=body)
    assert answer.status_code == 200
    return answer.headers["x-headrace-prediction-id"]


def test_answers_are_watched_without_any_reference_data(
    cluster: Cluster, until: Until, tmp_path: Path
) -> None:
    with cluster.client() as client, httpx.Client() as http:
        for number in (1, 2):
            # Version n answers n in its output `served`: the second breaks what the first promises.
            ranges = ("served=1..1",) if number == 1 else ()
            client.register(MODEL, signed(number, tmp_path / f"{number}.onnx"), output_ranges=ranges)
            client.validate(MODEL, number)
        client.deploy(MODEL, 1)
        assert client.version(MODEL, 2)["output_ranges"] == ["served=1..1"]

        _take_a_reference(client, http, cluster, until)
        _join_what_answers_brought(client, http, cluster, until)
        _roll_a_broken_promise_back(client, http, cluster, until)


def _take_a_reference(client: Client, http: httpx.Client, cluster: Cluster, until: Until) -> None:
    asked = iter(range(10_000))

    def source() -> str:
        ask(http, cluster, next(asked), ROWS)
        return str(client.version(MODEL, 1)["reference_source"])

    until(lambda: source() == "live", 60, "a profile is taken of live traffic")

    def judged() -> bool:
        ask(http, cluster, next(asked), ROWS)
        return bool(client.drift(MODEL)["features"])

    until(judged, 60, "workers count into its bins")
    assert client.drift(MODEL)["verdict"] in ("PASS", "INCONCLUSIVE")


def _join_what_answers_brought(client: Client, http: httpx.Client, cluster: Cluster, until: Until) -> None:
    made = [ask(http, cluster, seed) for seed in range(40)]
    client.feedback(MODEL, {}, metrics={"revenue": dict.fromkeys(made, 2.5)})

    def mean() -> float | None:
        metrics = client.performance(MODEL)["metrics"]
        return metrics[0]["versions"][0]["mean"] if metrics else None

    until(lambda: mean() == 2.5, 30, "numbers join the version that answered")


def _roll_a_broken_promise_back(client: Client, http: httpx.Client, cluster: Cluster, until: Until) -> None:
    guard = {"metric": "feedback.revenue", "direction": "higher", "bounds": [0, 10], "margin": 1.0}
    plan = {"name": "mine", "steps": [{"weight": 50, "min_requests": 50}], "guard": [guard]}
    client.start_rollout(MODEL, 2, plan)
    asked = iter(range(10_000))

    def ended() -> bool:
        ask(http, cluster, next(asked))
        return not client.rollout(MODEL)["active"]

    until(ended, 60, "the rollout ends")
    rollout = client.rollout(MODEL)
    findings = {finding["name"]: finding["verdict"] for finding in rollout["findings"]}
    assert rollout["phase"] == "rolled_back"
    assert findings["invalid_outputs"] == "FAIL"
    assert findings["feedback.revenue"] == "INCONCLUSIVE"
