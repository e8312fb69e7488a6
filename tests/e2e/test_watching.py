"""What a real cluster sees of answers: their range, what they brought, and what is normal for them."""

from collections.abc import Callable
from itertools import islice
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pytest
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

from lifecycle.client import Client
from tests.e2e.harness import Cluster, signed
from tests.graphs import serialised

Until = Callable[[Callable[[], bool], float, str], None]
pytestmark = pytest.mark.e2e

MODEL = "watched"
ROWS = 100


def ask(http: httpx.Client, cluster: Cluster, seed: int, rows: int = 1, model: str = MODEL) -> str:
    """One request; its prediction id."""
    data = np.random.default_rng(seed).normal(size=rows * 4).tolist()
    body = {"inputs": [{"name": "x", "shape": [rows, 4], "datatype": "FP32", "data": data}]}
    answer = http.post(f"http://127.0.0.1:{cluster.http}/v2/models/{model}/infer", json=body)
    assert answer.status_code == 200
    return answer.headers["x-headrace-prediction-id"]


def halves(kind: str, path: Path) -> Path:
    """A classifier of `x` [-1, 4]: 1 where the sum is `Greater`, or `Less`, than 0."""
    nodes = [
        helper.make_node("ReduceSum", ["x", "last"], ["sum"], keepdims=0),
        helper.make_node(kind, ["sum", "zero"], ["is"]),
        helper.make_node("Cast", ["is"], ["label"], to=TensorProto.INT64),
    ]
    constants: dict[str, NDArray[np.generic]] = {
        "last": np.array([1], np.int64),
        "zero": np.array(0, np.float32),
    }
    graph = helper.make_graph(
        nodes,
        "halves",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, [None, 4])],
        [helper.make_tensor_value_info("label", TensorProto.INT64, [None])],
        [numpy_helper.from_array(value, name) for name, value in constants.items()],
    )
    path.write_bytes(serialised(graph))
    return path


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


def test_a_version_that_swaps_two_classes_waits_for_a_person(
    cluster: Cluster, until: Until, tmp_path: Path
) -> None:
    with cluster.client() as client, httpx.Client() as http:
        for number, kind in enumerate(("Greater", "Less"), 1):
            client.register("halves", halves(kind, tmp_path / f"{kind}.onnx"))
            client.validate("halves", number)
        client.deploy("halves", 1)
        client.start_rollout("halves", 2, "quick")
        asked = iter(range(10_000))

        def rollout() -> dict[str, Any]:
            for seed in islice(asked, 20):
                ask(http, cluster, seed, model="halves")
            return client.rollout("halves")

        until(lambda: rollout()["paused"], 60, "the rollout holds")
        held = client.rollout("halves")
        assert (held["phase"], held["weight"], held["verdict"]) == ("shadow", 0, "INCONCLUSIVE")
        assert held["reason"].startswith("disagreement: 100.0% of ")
        client.resume("halves")
        until(lambda: rollout()["phase"] == "step", 60, "it goes on at a person's word")
        client.abort("halves")


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
