"""Load and unload by V2 clients, through the edge, worker and controller to the registry and back."""

import importlib
import signal
from collections.abc import Callable
from typing import Any

import pytest

from lifecycle.client import Client
from tests.e2e.harness import Cluster, Load

pytestmark = pytest.mark.e2e
FAILED: type[Exception] = importlib.import_module("tritonclient.utils").InferenceServerException


def test_a_model_is_unloaded_and_loaded_again(
    cluster: Cluster, deployed: Callable[[int], tuple[str, Client]]
) -> None:
    model, client = deployed(1)
    for way, port in (("http", cluster.http), ("grpc", cluster.grpc)):
        triton: Any = importlib.import_module(f"tritonclient.{way}")
        with triton.InferenceServerClient(f"127.0.0.1:{port}") as caller:
            caller.unload_model(model)
            assert client.traffic(model)["champion"] == 0
            assert not caller.is_model_ready(model)
            caller.unload_model(model)
            caller.unload_model("nobody-knows-it")
            caller.load_model(model)
            assert caller.is_model_ready(model)
            assert client.traffic(model)["champion"] == 1
            with pytest.raises(FAILED, match="there is no model"):
                caller.load_model("nobody-knows-it")


def test_a_controller_that_does_not_answer_stops_control_and_nothing_else(
    cluster: Cluster, deployed: Callable[[int], tuple[str, Client]], load: Callable[[str], Load]
) -> None:
    model, client = deployed(1)
    (controller,) = cluster.processes("ray::Lifecycle")
    triton: Any = importlib.import_module("tritonclient.grpc")
    with load(model) as traffic, triton.InferenceServerClient(f"127.0.0.1:{cluster.grpc}") as caller:
        controller.send_signal(signal.SIGSTOP)
        try:
            with pytest.raises(FAILED, match=r"UNAVAILABLE.*does not answer"):
                caller.unload_model(model)
        finally:
            controller.send_signal(signal.SIGCONT)
    assert traffic.failures == []
    assert client.traffic(model)["champion"] == 1
