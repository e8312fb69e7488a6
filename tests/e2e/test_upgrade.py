"""New workers for old ones under load: by command, and by themselves when they have grown."""

import json
from collections.abc import Callable

import pytest

from lifecycle.client import Client
from tests.e2e.harness import Cluster, Load

Deployed = Callable[[int], tuple[str, Client]]
Until = Callable[[Callable[[], bool], float, str], None]
pytestmark = pytest.mark.e2e


def names(client: Client) -> set[str]:
    return {worker["worker"] for worker in client.status()["workers"]}


def test_workers_are_replaced_with_no_request_lost(
    cluster: Cluster, deployed: Deployed, load: Callable[[str], Load], until: Until
) -> None:
    model, client = deployed(1)
    first = names(client)
    settings = cluster.home / "headrace.toml"
    settings.write_text("[gateway.serving]\nrecycle_above_mb = 20\n")  # less than any worker takes
    try:
        with load(model) as callers:
            until(lambda: callers.sent > 200, 30, "load")
            controller = client.status()["info"]["controller"]
            told = json.loads(cluster.headrace("upgrade", "--json"))
            assert told["controller"]["before"] == controller
            assert client.status()["info"]["controller"] == told["controller"]["after"] != controller
            second = set(told["after"])
            assert len(second) == 2
            assert not first & second
            # From here on the new workers find themselves too large, one after the other.
            until(lambda: len(names(client) - second) > 0, 60, "a worker that makes way by itself")
            settings.unlink()
            cluster.headrace("upgrade")
            sent = callers.sent
            until(lambda: callers.sent > sent + 200, 30, "more load")
        assert callers.failures == []
        assert len(names(client)) == 2
    finally:
        settings.unlink(missing_ok=True)
