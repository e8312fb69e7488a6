"""One real Headrace for the whole session: Ray, two workers, HAProxy, the controller."""

import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from lifecycle.client import Client
from tests.e2e.harness import Cluster, Load, signed
from tests.ports import free_port

_SETTINGS = """
[gateway]
model_control = "explicit"
[gateway.dedicated]
max_replicas = 2
requests_per_replica = 8
scale_up_after_s = 2
scale_down_after_s = 2
"""


@pytest.fixture(scope="session")
def until() -> Callable[[Callable[[], bool], float, str], None]:
    """Wait for something that must happen by itself."""

    def wait(happened: Callable[[], bool], timeout_s: float, what: str) -> None:
        deadline = time.monotonic() + timeout_s
        while not happened():
            assert time.monotonic() < deadline, f"{what} did not happen within {timeout_s} s"
            time.sleep(0.1)

    return wait


@pytest.fixture(scope="session")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    """Up for the session. Leaves no process behind, which is asserted."""
    running = Cluster(tmp_path_factory.mktemp("headrace"), free_port(), free_port(), free_port())
    (running.home / "headrace.toml").write_text(_SETTINGS)
    running.up()
    try:
        yield running
    finally:
        running.down()
        assert not running.left()


@pytest.fixture
def deployed(
    cluster: Cluster, tmp_path: Path, request: pytest.FixtureRequest
) -> Iterator[Callable[[int], tuple[str, Client]]]:
    """Registers a model of the test's own with n approved versions; version 1 has all the traffic."""
    name = str(request.node.name).replace("_", "-")
    with cluster.client() as client:

        def deploy(versions: int) -> tuple[str, Client]:
            for number in range(1, versions + 1):
                client.register(name, signed(number, tmp_path / f"{number}.onnx"))
                client.validate(name, number)
            client.deploy(name, 1)
            return name, client

        yield deploy


@pytest.fixture
def load(cluster: Cluster) -> Callable[[str], Load]:
    return lambda model: Load(cluster, model)
