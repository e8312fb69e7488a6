"""Kills under load: nobody who calls may notice."""

import signal
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from gateway.config import GatewayConfig
from lifecycle.client import Client
from lifecycle.errors import LifecycleError
from tests.e2e.harness import Cluster, Load, kill, signed

Deployed = Callable[[int], tuple[str, Client]]
Until = Callable[[Callable[[], bool], float, str], None]
pytestmark = pytest.mark.e2e


def workers(client: Client) -> dict[str, int]:
    """Live workers by name, with the generation they applied."""
    return {worker["worker"]: worker["generation"] for worker in client.status()["workers"]}


def test_a_killed_worker_costs_no_request(
    cluster: Cluster, deployed: Deployed, load: Callable[[str], Load], until: Until
) -> None:
    model, client = deployed(2)
    client.set_traffic(model, {1: 80, 2: 20})
    before = workers(client)
    assert len(before) == 2
    with load(model) as callers:
        until(lambda: callers.sent > 500, 30, "load")
        kill(min(before))
        # The dead one stops counting, and a new one with the current table takes its place.
        until(lambda: set(workers(client)) - set(before) != set(), 30, "a new worker")
        until(lambda: len(workers(client)) == 2, 30, "both workers")
        until(
            lambda: set(workers(client).values()) == {client.status()["generation"]},
            *(30, "the current table everywhere"),
        )
        sent = callers.sent
        until(lambda: callers.sent > sent + 500, 30, "more load")
    assert callers.failures == []
    assert set(callers.served) == {1, 2}


def test_a_killed_controller_resumes_the_rollout_and_ends_it_once(
    cluster: Cluster, deployed: Deployed, load: Callable[[str], Load], until: Until
) -> None:
    model, client = deployed(2)
    with load(model) as callers:
        client.start_rollout(model, 2)
        until(lambda: client.rollout(model)["phase"] == "step", 60, "the first canary step")
        (controller,) = cluster.processes("ray::Lifecycle")
        controller.send_signal(signal.SIGKILL)
        until(lambda: _phase(client, model) in {"promoted", "rolled_back", "aborted"}, 120, "an end")
        sent = callers.sent
        until(lambda: callers.sent > sent + 500, 30, "more load")
    assert callers.failures == []
    assert client.rollout(model)["phase"] == "promoted"
    kinds = [record["kind"] for record in client.audit(model, limit=1000)]
    assert kinds.count("rollout.promote") == 1
    assert client.verify()["ok"]


def _phase(client: Client, model: str) -> str:
    try:
        return str(client.rollout(model)["phase"])
    except LifecycleError:
        return "no answer"  # the controller is on its way back


def test_a_node_ends_with_its_ray_and_serves_again(
    cluster: Cluster, deployed: Deployed, until: Until
) -> None:
    model, _ = deployed(1)
    body = {"inputs": [{"name": "x", "shape": [1, 4], "datatype": "FP32", "data": [1, 2, 3, 4]}]}
    for server in ("raylet/raylet ", "gcs/gcs_server "):
        (process,) = cluster.processes(server)
        process.kill()
        until(lambda: not cluster.processes(), 50, "the end of the node")
        assert "headrace: Ray ended on this node" in (cluster.home / "logs" / "headrace.log").read_text()
        cluster.up()  # as systemd does by itself
        assert cluster.post(f"/v2/models/{model}/infer", body)["model_version"] == "1"


def test_state_survives_down_and_up_and_what_is_under_way_is_answered(
    cluster: Cluster, deployed: Deployed, tmp_path: Path
) -> None:
    model, client = deployed(3)
    client.set_traffic(model, {1: 70, 2: 30})
    before = client.traffic(model)
    client.register("slow", signed(1, tmp_path / "slow.onnx", work=1800))
    client.validate("slow", 1)
    client.deploy("slow", 1)
    body = {"inputs": [{"name": "x", "shape": [1, 4], "datatype": "FP32", "data": [1, 2, 3, 4]}]}
    run_dir = GatewayConfig(home=cluster.home).run_dir
    with ThreadPoolExecutor(1) as caller:
        under_way = caller.submit(cluster.post, "/v2/models/slow/infer", body)
        time.sleep(0.1)
        cluster.terminate()
        assert under_way.result()["model_name"] == "slow"
    cluster.down()
    assert cluster.processes() == []
    assert not run_dir.exists()
    assert list((cluster.home / "logs" / "ray").glob("gcs_server.*"))  # for who looks for what went wrong
    cluster.up()
    after = client.traffic(model)
    assert after["weights"] == before["weights"]
    assert [version["number"] for version in client.versions(model)] == [1, 2, 3]
    assert cluster.post(f"/v2/models/{model}/infer", body)["model_name"] == model


def test_a_rollout_in_its_middle_goes_on_after_down_and_up(
    cluster: Cluster, deployed: Deployed, load: Callable[[str], Load], until: Until
) -> None:
    model, client = deployed(2)
    with load(model):
        client.start_rollout(model, 2)
        until(lambda: client.rollout(model)["phase"] == "step", 60, "the first canary step")
    cluster.down()
    cluster.up()
    with load(model) as callers:
        until(lambda: _phase(client, model) == "promoted", 120, "promotion")
    assert callers.failures == []
    assert client.traffic(model)["champion"] == 2
