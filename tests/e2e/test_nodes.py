"""A second node joins: it serves what the first one serves, and the end of one costs the other no request.

Both are on this machine, each with a loopback address, a home and ports of its own.
"""

import json
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import pytest

from tests.e2e.harness import Cluster, Load, Node, signed, workers
from tests.ports import free_port

Until = Callable[[Callable[[], bool], float, str], None]
pytestmark = pytest.mark.e2e


@pytest.fixture(scope="module")
def nodes(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Node, Node]]:
    folder = tmp_path_factory.mktemp("nodes")
    first, second = (
        Node(folder / name, free_port(), free_port(), free_port()) for name in ("first", "second")
    )
    first.home.mkdir()
    (first.home / "headrace.toml").write_text(f'artifacts = "{folder / "artifacts"}"\n')
    try:
        first.up("--address=127.0.0.2")
        second.up("--address=127.0.0.3", f"--join={first.url}")
        with first.client() as client:
            for number in (1, 2):
                client.register("m", signed(number, folder / f"{number}.onnx"))
                client.validate("m", number)
            client.deploy("m", 1)
        yield first, second
    finally:
        for node in (second, first):
            node.down()
        left = [command for node in (first, second) for command in node.left()]
        assert not left, f"left behind: {left}"


def of(node: Node, names: set[str]) -> set[str]:
    return {name for name in names if name.startswith((node.home / "controller").read_text() + "/")}


def test_a_command_reaches_every_node(nodes: tuple[Node, Node]) -> None:
    first, second = nodes
    with first.client() as client, Load(first, "m") as here, Load(second, "m") as there:
        assert client.set_traffic("m", {2: 100})["confirmed"]
        body = {"inputs": [{"name": "x", "shape": [1, 4], "datatype": "FP32", "data": [1, 2, 3, 4]}]}
        answers = [node.post("/v2/models/m/infer", body) for node in nodes]
        assert [answer["model_version"] for answer in answers] == ["2", "2"]
        names = workers(client)
        metrics = httpx.get(f"{first.url}/metrics").text
    assert here.failures == there.failures == []
    for node in nodes:
        assert len(of(node, names)) == 1
        name = (node.home / "controller").read_text()
        assert f'headrace_edge_worker_up{{node="{name}",worker="worker-0"}} 1.0' in metrics
        assert f'headrace_route_generation{{node="{name}",worker="worker-0"}}' in metrics


def test_an_upgrade_rolls_over_all_nodes_and_loses_no_request(nodes: tuple[Node, Node]) -> None:
    first, second = nodes
    with Load(first, "m") as here, Load(second, "m") as there:
        told = json.loads(first.headrace("upgrade", "--json"))
    assert here.failures == there.failures == []
    assert len(of(first, set(told["after"]))) == len(of(second, set(told["after"]))) == 1
    assert not set(told["before"]) & set(told["after"])


def test_the_other_node_serves_on_until_the_first_is_ready_again(
    nodes: tuple[Node, Node], until: Until
) -> None:
    first, second = nodes
    with Load(second, "m") as there:
        first.kill()
        until(lambda: there.sent > 500, 30, "load")
        sent = there.sent
        until(lambda: there.sent > sent + 500, 30, "load without a controller")
        assert there.failures == []
        # The killed node's callers are served there by now, so the other one may begin anew.
        first.up("--address=127.0.0.2")
    with first.client() as client:
        until(lambda: len(workers(client)) == 2, 90, "the node that joins again")
    until(lambda: second.answers(), 30, "its edge")
    with Load(second, "m") as there:
        until(lambda: there.sent > 100, 30, "load under the new controller")
    assert there.failures == []


def test_a_node_ends_with_its_raylet_and_comes_back(nodes: tuple[Node, Node], until: Until) -> None:
    first, second = nodes
    with first.client() as client, Load(first, "m") as here:
        before = of(second, workers(client))
        (raylet,) = second.processes("raylet/raylet ")
        raylet.kill()
        until(lambda: not second.processes(), 60, "the end of the node")
        second.up("--address=127.0.0.3", f"--join={first.url}")  # as systemd does by itself
        until(lambda: len(of(second, workers(client)) - before) == 1, 30, "its worker again")
    assert here.failures == []


def test_a_cluster_whose_artifacts_are_at_home_takes_no_other_node(cluster: Cluster, tmp_path: Path) -> None:
    other = Node(tmp_path / "other", free_port(), free_port(), free_port())
    with pytest.raises(
        AssertionError, match="this node takes no others: start it with `headrace up --address`"
    ):
        other.up("--address=127.0.0.3", f"--join={cluster.url}")
