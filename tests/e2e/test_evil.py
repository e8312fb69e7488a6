"""A version that passed every gate and turns evil on certain rows, under another model's traffic."""

import asyncio
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pytest
from onnx import TensorProto, helper, numpy_helper

from lifecycle.client import Client
from tests.e2e.harness import Cluster, Load
from tests.graphs import serialised

Deployed = Callable[[int], tuple[str, Client]]
Until = Callable[[Callable[[], bool], float, str], None]
pytestmark = pytest.mark.e2e

SOUND, HANGS, ALLOCATES, FAILS = 1, 41, 42, 43
AT_ONCE = 12  # of each: more than all threads of all workers


def evil(path: Path) -> Path:
    """Gives back `x` INT64 [n, 1] as `y` FP32, unless its largest value is one of the three above: then it
    loops for ever, asks for 256 TiB, or looks up what is not there."""
    constants = {
        "hangs": np.array(HANGS),
        "allocates": np.array(ALLOCATES),
        "fails": np.array(FAILS),
        "nothing": np.array(0.0, np.float32),
        "few": np.array([1]),
        "many": np.array([2**46]),
        "there": np.array([0]),
        "not there": np.array([7]),
        "table": np.zeros(1, np.float32),
    }
    nodes = [
        helper.make_node("ReduceMax", ["x"], ["most"], keepdims=0),
        helper.make_node("Equal", ["most", "hangs"], ["hang"]),
        helper.make_node("Loop", ["", "hang", "nothing"], ["looped"], body=_for_ever()),
        helper.make_node("Equal", ["most", "allocates"], ["allocate"]),
        helper.make_node("Where", ["allocate", "many", "few"], ["count"]),
        helper.make_node("ConstantOfShape", ["count"], ["filled"]),
        helper.make_node("ReduceSum", ["filled"], ["summed"], keepdims=0),
        helper.make_node("Equal", ["most", "fails"], ["fail"]),
        helper.make_node("Where", ["fail", "not there", "there"], ["index"]),
        helper.make_node("Gather", ["table", "index"], ["found"]),
        helper.make_node("Cast", ["x"], ["same"], to=TensorProto.FLOAT),
        helper.make_node("Sum", ["same", "looped", "summed", "found"], ["y"]),
    ]
    graph = helper.make_graph(
        nodes,
        "evil",
        [helper.make_tensor_value_info("x", TensorProto.INT64, [None, 1])],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, [None, 1])],
        [numpy_helper.from_array(value, name) for name, value in constants.items()],
    )
    path.write_bytes(serialised(graph))
    return path


def _for_ever() -> Any:
    return helper.make_graph(
        [helper.make_node("Identity", ["go"], ["go_on"]), helper.make_node("Identity", ["v"], ["v_out"])],
        "body",
        [
            helper.make_tensor_value_info("i", TensorProto.INT64, []),
            helper.make_tensor_value_info("go", TensorProto.BOOL, []),
            helper.make_tensor_value_info("v", TensorProto.FLOAT, []),
        ],
        [
            helper.make_tensor_value_info("go_on", TensorProto.BOOL, []),
            helper.make_tensor_value_info("v_out", TensorProto.FLOAT, []),
        ],
    )


async def test_a_version_that_turns_evil_harms_nobody_else(
    cluster: Cluster, deployed: Deployed, load: Callable[[str], Load], until: Until, tmp_path: Path
) -> None:
    model, client = deployed(1)
    client.register("evil", evil(tmp_path / "evil.onnx"))
    client.validate("evil", 1)
    client.deploy("evil", 1)
    cluster.headrace("model", "placement", model, "pool")  # where both share threads
    workers = {process.pid for process in cluster.processes("ServeReplica:gateway")}
    url = f"http://127.0.0.1:{cluster.http}/v2/models/evil/infer"

    def body(*values: int) -> str:
        tensor = {"name": "x", "shape": [len(values), 1], "datatype": "INT64", "data": values}
        return json.dumps({"inputs": [tensor]})

    with load(model) as callers:
        until(lambda: callers.sent > 200, 30, "load")
        async with httpx.AsyncClient(timeout=60) as http:
            hanging = [asyncio.create_task(http.post(url, content=body(HANGS))) for _ in range(AT_ONCE)]
            late = await http.post(url, content=body(HANGS), headers={"x-headrace-timeout-ms": "1000"})
            sent = callers.sent
            until(lambda: callers.sent > sent + 200, 30, "load beside runs that never end")
            for call in hanging:
                call.cancel()
            await asyncio.gather(*hanging, return_exceptions=True)
            asked = [
                http.post(url, content=body(value)) for value in (ALLOCATES, FAILS) for _ in range(AT_ONCE)
            ]
            answers = await asyncio.gather(*asked)
            sound = await http.post(url, content=body(SOUND, SOUND))
        sent = callers.sent
        until(lambda: callers.sent > sent + 200, 30, "more load")
    assert callers.failures == []
    assert late.status_code == 504
    assert {answer.status_code for answer in answers} == {500}
    assert all(list(answer.json()) == ["error"] for answer in answers)
    assert sound.json()["outputs"][0]["data"] == [SOUND, SOUND]
    assert {process.pid for process in cluster.processes("ServeReplica:gateway")} == workers
