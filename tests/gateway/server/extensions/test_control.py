"""Load and unload, over HTTP and gRPC, with and without keys. Who does it is the controller, played here."""

import asyncio
import importlib
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from gateway.config import GatewayConfig
from gateway.core.keys import Key, Keyring, KeyRole, digest
from gateway.core.routing import RouteTable
from gateway.errors import ErrorCode, GatewayError
from gateway.worker import Worker

KEYS = (
    Key("shop", digest("infers"), KeyRole.INFERENCE),
    Key("ann", digest("deploys"), KeyRole.DEPLOYER, ("eu-*",)),
)


class Registry:
    """Knows `eu-fraud` and `us-fraud`; notes who asked for what."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, str, str]] = []

    async def change(self, verb: str, model: str, actor: str) -> None:
        await asyncio.sleep(0)
        self.asked.append((verb, model, actor))
        if verb == "load" and model not in ("eu-fraud", "us-fraud"):
            raise GatewayError(ErrorCode.NOT_FOUND, f"there is no model {model!r}")


class Served:
    """A worker with real listeners, called by tritonclient, which is of a thread each time."""

    def __init__(self, registry: Registry, http: int, grpc: int) -> None:
        self.registry = registry
        self.ports = {"http": http, "grpc": grpc}

    async def refused(self, way: str, call: str, *arguments: Any, key: str = "", **more: Any) -> str:
        """What the client says went wrong; empty if nothing did."""
        headers = {"authorization": f"Bearer {key}"} if key else None
        return await asyncio.to_thread(self._call, way, call, *arguments, headers=headers, **more)

    def _call(self, way: str, call: str, *arguments: Any, **more: Any) -> str:
        module = importlib.import_module(f"tritonclient.{way}")
        with module.InferenceServerClient(f"127.0.0.1:{self.ports[way]}") as client:
            try:
                getattr(client, call)(*arguments, **more)
            except Exception as error:  # of a class of its own in each client
                return str(error)
        return ""


async def _serve(home: Path, **settings: Any) -> AsyncIterator[Served]:
    registry = Registry()
    worker = Worker(GatewayConfig(home=home, **settings), "w", repository=registry)
    await worker.apply(RouteTable(1, {}, Keyring(KEYS)))
    served = Served(
        registry, await worker.http.listen_tcp("127.0.0.1", 0), await worker.grpc.start("127.0.0.1:0")
    )
    yield served
    await worker.drain()


@pytest.fixture
async def open_to_all(tmp_path: Path) -> AsyncIterator[Served]:
    async for served in _serve(tmp_path, model_control="explicit"):
        yield served


@pytest.fixture
async def with_keys(tmp_path: Path) -> AsyncIterator[Served]:
    async for served in _serve(tmp_path, model_control="explicit", keys="required"):
        yield served


@pytest.fixture
async def switched_off(tmp_path: Path) -> AsyncIterator[Served]:
    async for served in _serve(tmp_path):
        yield served


@pytest.mark.parametrize("way", ["http", "grpc"])
async def test_the_controller_is_asked(way: str, open_to_all: Served) -> None:
    assert await open_to_all.refused(way, "load_model", "eu-fraud") == ""
    assert await open_to_all.refused(way, "unload_model", "eu-fraud") == ""
    assert open_to_all.registry.asked == [("load", "eu-fraud", "local"), ("unload", "eu-fraud", "local")]


@pytest.mark.parametrize("way", ["http", "grpc"])
async def test_what_the_registry_does_not_know(way: str, open_to_all: Served) -> None:
    assert "there is no model 'none'" in await open_to_all.refused(way, "load_model", "none")
    assert await open_to_all.refused(way, "unload_model", "none") == ""


@pytest.mark.parametrize("way", ["http", "grpc"])
async def test_files_and_configurations_come_by_the_admin_api_only(way: str, open_to_all: Served) -> None:
    said = await open_to_all.refused(way, "load_model", "eu-fraud", config='{"backend": "python"}')
    assert "parameter 'config' is not taken" in said
    said = await open_to_all.refused(
        way, "load_model", "eu-fraud", config="{}", files={"file:1/m.onnx": b"x"}
    )
    assert "is not taken" in said
    assert open_to_all.registry.asked == []


@pytest.mark.parametrize("way", ["http", "grpc"])
async def test_control_is_off_unless_it_is_switched_on(way: str, switched_off: Served) -> None:
    assert "control is off" in await switched_off.refused(way, "load_model", "eu-fraud")
    assert "control is off" in await switched_off.refused(way, "unload_model", "none")
    assert switched_off.registry.asked == []


@pytest.mark.parametrize(
    ("path", "body"),
    [("repository/models/eu-fraud/load", {}), ("trace/setting", {"trace_level": ["TIMESTAMPS"]})],
)
async def test_nobody_is_told_to_ask_again_for_what_is_off(
    path: str, body: object, switched_off: Served
) -> None:
    async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{switched_off.ports['http']}") as http:
        answer = await http.post(f"/v2/{path}", json=body)
    assert (answer.status_code, "off here" in answer.text) == (503, True)
    assert "retry-after" not in answer.headers


@pytest.mark.parametrize("way", ["http", "grpc"])
async def test_a_key_needs_the_role_and_the_model(way: str, with_keys: Served) -> None:
    assert "a key is needed" in await with_keys.refused(way, "load_model", "eu-fraud")
    assert "this takes deployer" in await with_keys.refused(way, "load_model", "eu-fraud", key="infers")
    assert "this takes deployer" in await with_keys.refused(way, "unload_model", "eu-fraud", key="infers")
    assert "there is no model" in await with_keys.refused(way, "load_model", "us-fraud", key="deploys")
    assert await with_keys.refused(way, "unload_model", "us-fraud", key="deploys") == ""
    assert with_keys.registry.asked == []
    assert await with_keys.refused(way, "load_model", "eu-fraud", key="deploys") == ""
    assert with_keys.registry.asked == [("load", "eu-fraud", "ann")]
