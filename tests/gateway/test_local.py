"""A gateway in one process, as a laptop runs it."""

import asyncio
from pathlib import Path

import httpx
import numpy as np
import pytest
import tritonclient.grpc as triton

from gateway.config import GatewayConfig, Watching
from gateway.local import running, table_of
from tests.ports import free_port


@pytest.fixture
def model(lookup: bytes, tmp_path: Path) -> Path:
    path = tmp_path / "lookup.onnx"
    path.write_bytes(lookup)
    return path


def test_every_file_has_all_the_traffic_of_its_model(model: Path) -> None:
    table = table_of({"a": model, "b": model})
    assert {name: (route.champion, route.weights) for name, route in table.models.items()} == {
        "a": (1, ((1, 100.0),)),
        "b": (1, ((1, 100.0),)),
    }


async def test_both_protocols_answer_until_the_end(model: Path, tmp_path: Path) -> None:
    config = GatewayConfig(
        home=tmp_path, http_port=free_port(), grpc_port=free_port(), watching=Watching(window_s=0.01)
    )
    url = f"http://127.0.0.1:{config.http_port}"
    question = {"inputs": [{"name": "i", "shape": [2], "datatype": "INT64", "data": [3, 1]}]}

    async with running(config, table_of({"table": model})), httpx.AsyncClient(base_url=url) as client:
        answer = (await client.post("/v2/models/table/infer", json=question)).json()
        assert (answer["model_version"], answer["outputs"][0]["data"]) == ("1", [30.0, 10.0])
        assert await asyncio.to_thread(ask_by_grpc, config.grpc_port) == [20.0]
        async with asyncio.timeout(10):
            while 'model="table"' not in (await client.get("/metrics")).text:
                pass  # the next window brings it

    async with httpx.AsyncClient(base_url=url) as client:
        with pytest.raises(httpx.ConnectError):
            await client.get("/v2/health/live")


def ask_by_grpc(port: int) -> list[float]:
    given = triton.InferInput("i", [1], "INT64")
    given.set_data_from_numpy(np.array([2], np.int64))
    client = triton.InferenceServerClient(f"127.0.0.1:{port}")
    answer: list[float] = client.infer("table", [given]).as_numpy("y").tolist()
    client.close()
    return answer
