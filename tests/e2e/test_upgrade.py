"""New workers for old ones under load, in the middle of a rollout: by command, again after it failed, and by
themselves when they have grown."""

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

import psutil
import pytest

from gateway.config import GatewayConfig
from gateway.errors import GatewayError
from gateway.serve.slots import claim
from lifecycle.client import Client
from lifecycle.errors import LifecycleError
from tests.e2e.harness import Cluster, Load

Deployed = Callable[[int], tuple[str, Client]]
Until = Callable[[Callable[[], bool], float, str], None]
pytestmark = pytest.mark.e2e
PLAN = {"steps": [{"weight": 20, "min_seconds": 15}, {"weight": 50, "min_seconds": 1}]}


def names(client: Client) -> set[str]:
    return {worker["worker"] for worker in client.status()["workers"]}


@contextmanager
def no_slot_free(config: GatewayConfig) -> Iterator[None]:
    """So that no new worker can start."""
    held = []
    with suppress(GatewayError):
        while True:
            held.append(claim(config.run_dir, "worker", config.slots))
    yield
    for slot in held:
        slot.release()


def test_workers_are_replaced_with_no_request_lost(
    cluster: Cluster, deployed: Deployed, load: Callable[[str], Load], until: Until
) -> None:
    model, client = deployed(2)
    first = names(client)
    with no_slot_free(GatewayConfig(home=cluster.home, workers=2)):
        with pytest.raises(LifecycleError, match=r"stay up \(.*all 5 worker slots of this node are taken"):
            client.upgrade()
        assert names(client) == first
    settings = cluster.home / "headrace.toml"
    settings.write_text("[gateway.serving]\nrecycle_above_mb = 20\n")  # less than any worker takes
    try:
        with load(model) as callers:
            until(lambda: callers.sent > 200, 30, "load")
            client.start_rollout(model, 2, PLAN)
            until(lambda: client.rollout(model)["phase"] == "step", 60, "the first canary step")
            controller = client.status()["info"]["controller"]
            told = json.loads(cluster.headrace("upgrade", "--json"))
            assert told["controller"]["before"] == controller
            assert client.status()["info"]["controller"] == told["controller"]["after"] != controller
            second = set(told["after"])
            assert len(second) == 2
            assert not first & second
            until(lambda: client.rollout(model)["phase"] == "promoted", 120, "promotion after the upgrade")
            # From here on the new workers find themselves too large, one after the other.
            until(lambda: len(names(client) - second) > 0, 60, "a worker that makes way by itself")
            settings.write_text("[gateway.dedicated]\ncpus = 640\n")
            cluster.headrace("upgrade")
            with pytest.raises(LifecycleError, match="needs 640 CPU, and no node has as much; make some"):
                client.set_placement(model, "dedicated")
            assert client.model(model)["placement"] == "auto"
            sent = callers.sent
            until(lambda: callers.sent > sent + 200, 30, "more load")
        assert callers.failures == []
        assert set(callers.served) == {1, 2}
        assert len(names(client)) == 2
        kinds = [record["kind"] for record in client.audit(limit=1000) if record["model"] in ("", model)]
        # The rollout began under one controller, and was decided once, under the next.
        told_in_order = [kind for kind in kinds if kind in ("gateway.upgrade", "rollout.promote")]
        assert told_in_order[-3:] == ["gateway.upgrade", "rollout.promote", "gateway.upgrade"]
        assert kinds.count("rollout.promote") == 1
    finally:
        settings.unlink(missing_ok=True)
    # A node that is killed whole begins anew by its file, and not by what an upgrade had made of it.
    for process in cluster.processes():
        with suppress(psutil.NoSuchProcess):
            process.kill()
    cluster.up()
    assert client.traffic(model)["champion"] == 2
    assert client.set_placement(model, "dedicated")["confirmed"]
    with load(model) as callers:
        until(lambda: callers.sent > 50, 30, "load on the new node")
    assert callers.failures == []
    client.set_placement(model, "auto")
