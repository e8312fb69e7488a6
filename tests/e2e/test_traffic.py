"""Splitting traffic between versions on a real cluster."""

import http.client
import json
from collections import Counter
from collections.abc import Callable, Iterable, Mapping

import httpx
import pytest
import tritonclient.grpc as triton

from lifecycle.client import Client
from lifecycle.errors import LifecycleCode, LifecycleError
from tests.e2e.harness import Cluster

Deployed = Callable[[int], tuple[str, Client]]
pytestmark = pytest.mark.e2e


def served(cluster: Cluster, model: str, keys: Iterable[str | None]) -> list[int]:
    """The version that answered each request; a key of None sends none."""
    connection = http.client.HTTPConnection("127.0.0.1", cluster.http, timeout=10)
    tensor = {"name": "x", "shape": [1, 4], "datatype": "FP32", "data": [1.0, 2.0, 3.0, 4.0]}
    body = json.dumps({"inputs": [tensor]})
    versions = []
    for key in keys:
        headers = {} if key is None else {"x-headrace-key": key}
        connection.request("POST", f"/v2/models/{model}/infer", body, headers)
        response = connection.getresponse()
        answer = json.loads(response.read())
        assert response.status == 200, answer
        assert answer["outputs"][0]["data"] == [float(answer["model_version"])]
        versions.append(int(answer["model_version"]))
    connection.close()
    return versions


def test_shares_without_keys_are_exact(cluster: Cluster, deployed: Deployed) -> None:
    model, _ = deployed(2)
    cluster.headrace("traffic", "set", model, "1=90", "2=10")
    share = Counter(served(cluster, model, [None] * 10_000))[2] / 10_000
    assert abs(share - 0.10) <= 0.002


def counted(caller: httpx.Client, headers: Mapping[str, str] | None = None) -> int:
    """Answers that the statistics of a model's only version tell of."""
    (told,) = caller.get("stats", headers=headers).json()["model_stats"]
    count: int = told["inference_stats"]["success"]["count"]
    return count


def test_statistics_are_of_all_workers(cluster: Cluster, deployed: Deployed) -> None:
    model, _ = deployed(1)
    served(cluster, model, [None] * 11)
    with httpx.Client(base_url=f"http://127.0.0.1:{cluster.http}/v2/models/{model}") as caller:
        for _ in range(4):  # more than there are workers
            assert counted(caller) == 11
        assert 0 < counted(caller, {"x-headrace-scope": "worker"}) < 11


def test_a_key_never_moves_back_from_the_canary(cluster: Cluster, deployed: Deployed) -> None:
    model, client = deployed(2)
    keys = [f"customer-{number}" for number in range(400)]
    canary: set[str] = set()
    for weight in (5, 10, 30, 60):
        client.set_traffic(model, {1: 100 - weight, 2: weight})
        now = {key for key, version in zip(keys, served(cluster, model, keys), strict=True) if version == 2}
        assert canary <= now
        assert now, "some keys are on the canary"
        canary = now


def test_clients_name_versions_by_their_aliases(
    cluster: Cluster, deployed: Deployed, until: Callable[[Callable[[], bool], float, str], None]
) -> None:
    model, client = deployed(2)
    client.set_traffic(model, {1: 90, 2: 10})
    connection = http.client.HTTPConnection("127.0.0.1", cluster.http, timeout=10)

    def called(path: str) -> tuple[int, str | None]:
        connection.request("POST", f"/v1/models/{model}/{path}:predict", '{"instances": [[1, 2, 3, 4]]}')
        response = connection.getresponse()
        response.read()
        return response.status, response.getheader("x-headrace-version")

    assert [called("labels/champion"), called("versions/canary")] == [(200, "1"), (200, "2")]
    assert called("labels/audited") == (404, None)
    cluster.headrace("model", "alias", model, "audited", "2")
    until(
        lambda: [called("labels/audited") for _ in range(4)] == [(200, "2")] * 4,
        20,
        "both workers know the alias",
    )
    connection.close()
    rpc = triton.InferenceServerClient(f"127.0.0.1:{cluster.grpc}")
    assert rpc.is_model_ready(model, "audited")
    rpc.close()


def test_a_shadow_never_answers(cluster: Cluster, deployed: Deployed) -> None:
    model, _ = deployed(2)
    cluster.headrace("traffic", "set", model, "1=100", "--shadow", "2")
    assert set(served(cluster, model, [None] * 200)) == {1}
    shown = json.loads(cluster.headrace("traffic", "show", model, "--json"))
    assert shown["shadows"] == [2]


def test_a_change_on_a_stale_revision_is_refused(deployed: Deployed) -> None:
    model, client = deployed(2)
    revision = client.traffic(model)["revision"]
    client.at_revision(revision).set_traffic(model, {1: 50, 2: 50})
    with pytest.raises(LifecycleError) as refused:
        client.at_revision(revision).set_traffic(model, {1: 10, 2: 90})
    assert refused.value.code is LifecycleCode.STALE


def test_rollback_goes_to_the_champion_before(cluster: Cluster, deployed: Deployed) -> None:
    model, _ = deployed(2)
    cluster.headrace("traffic", "set", model, "2=100")
    assert set(served(cluster, model, [None] * 50)) == {2}
    cluster.headrace("rollback", model)
    assert set(served(cluster, model, [None] * 50)) == {1}
