"""The admin port of a real node: gRPC beside HTTP, and rollouts of several models side by side."""

import http.client
import json
from collections.abc import Callable
from contextlib import ExitStack, suppress

import grpc
import psutil
import pytest

from gateway.config import is_loopback
from lifecycle.api import lifecycle_pb2 as pb
from lifecycle.api.rpc import ROWS, SERVICE
from lifecycle.client import Client
from tests.e2e.harness import Cluster, Load, signed

Deployed = Callable[[int], tuple[str, Client]]
Until = Callable[[Callable[[], bool], float, str], None]
pytestmark = pytest.mark.e2e


def test_grpc_on_the_admin_port(cluster: Cluster, deployed: Deployed) -> None:
    model, client = deployed(2)
    with grpc.insecure_channel(f"127.0.0.1:{cluster.admin}") as channel:
        watch = channel.unary_stream(
            f"/{SERVICE}/Watch", pb.WatchRequest.SerializeToString, pb.Record.FromString
        )
        start = channel.unary_unary(
            f"/{SERVICE}/StartRollout", pb.StartRolloutRequest.SerializeToString, pb.Rollout.FromString
        )
        last = client.audit(limit=1)[-1]["seq"]
        records = watch(pb.WatchRequest(model=model, after=last), timeout=30)
        assert start(pb.StartRolloutRequest(model=model, version=2), timeout=10).active
        assert [next(records).kind for _ in range(2)] == ["rollout.start", "rollout.load"]
        records.cancel()
        missing = channel.unary_unary(
            f"/{SERVICE}/GetModel", pb.ModelRequest.SerializeToString, ROWS["GetModel"].gives.FromString
        )
        with pytest.raises(grpc.RpcError, match="there is no model"):
            missing(pb.ModelRequest(model="none"), timeout=10)
    client.abort(model)


def test_53_beyond_loopback_only_replicas_listen_to_each_other(cluster: Cluster) -> None:
    beyond: dict[tuple[int, str], set[int]] = {}
    for process in cluster.processes():
        with suppress(psutil.NoSuchProcess):
            for socket in process.net_connections("inet"):
                host = socket.laddr.ip.removeprefix("::ffff:")  # IPv4, as an IPv6 socket writes it
                if socket.status == psutil.CONN_LISTEN and not is_loopback(host):
                    name = " ".join(process.cmdline())
                    beyond.setdefault((process.pid, name), set()).add(socket.laddr.port)
    # Serve opens one port a replica, for calls that carry the cluster's token.
    assert all("ServeReplica" in name and len(ports) == 1 for (_, name), ports in beyond.items()), beyond


def test_events_go_on_behind_the_last_one_seen(cluster: Cluster, deployed: Deployed) -> None:
    model, client = deployed(1)
    last = client.audit(limit=3)[0]["seq"]
    connection = http.client.HTTPConnection("127.0.0.1", cluster.admin, timeout=10)
    connection.request("GET", "/v1/events", headers={"last-event-id": str(last)})
    response = connection.getresponse()
    seen = [line for line in (response.readline().decode().strip() for _ in range(8)) if line]
    connection.close()
    assert f"id: {last + 1}" in seen
    assert any(line.startswith("data: ") and json.loads(line[6:])["seq"] == last + 1 for line in seen)
    assert client.model(model)["champion"] == 1


def test_rollouts_of_several_models_run_side_by_side(
    cluster: Cluster, load: Callable[[str], Load], until: Until
) -> None:
    names = [f"side-{number}" for number in range(3)]
    plan = {"steps": [{"weight": 50, "min_seconds": 1, "min_requests": 50}], "bake_seconds": 1}
    with cluster.client() as client, ExitStack() as stack:
        for name in names:
            for number in (1, 2):
                client.register(name, signed(number, cluster.home / f"{name}-{number}.onnx"))
                client.validate(name, number)
            client.set_traffic(name, {1: 100})
            stack.enter_context(load(name))
        for name in names:
            client.start_rollout(name, 2, plan)
        until(lambda: not any(client.rollout(name)["active"] for name in names), 60, "three rollouts")
        assert [client.rollout(name)["phase"] for name in names] == ["promoted"] * 3
