"""KServe V1 at a listener, with models in numpy: the words of its REST interface, and its faults."""

import asyncio
from pathlib import Path
from typing import Any

import pytest

from gateway.config import Limits
from gateway.core.keys import Key, Keyring, KeyRole, digest
from gateway.server.gate import Gate
from gateway.server.http.listener import HttpListener
from gateway.server.service import Service

ONE, PAIR, TEXT = (f"/v1/models/{name}:predict" for name in ("one", "pair", "text"))
ROW = [1.0, 2.0, 3.0, 4.0]


async def test_rows_of_one_input(client: Any) -> None:
    reply = await client.post(ONE, {"instances": [ROW, [0, 0, 0, 0.5]]})
    assert (reply.status, reply.json) == (200, {"predictions": [ROW, [0.0, 0.0, 0.0, 0.5]]})
    assert reply.headers["x-headrace-version"] == "1"
    assert reply.headers["x-headrace-prediction-id"] == "p-1"


async def test_rows_of_several_inputs(client: Any) -> None:
    reply = await client.post(PAIR, {"instances": [{"a": ROW, "b": [1, 1, 1, 1]}]})
    assert reply.json == {"predictions": [{"sum": [2, 3, 4, 5], "difference": [0, 1, 2, 3]}]}


async def test_whole_tensors(client: Any) -> None:
    assert (await client.post(ONE, {"inputs": [ROW]})).json == {"outputs": [ROW]}
    assert (await client.post(ONE, {"inputs": {"x": [ROW]}})).json == {"outputs": [ROW]}
    both = {"inputs": {"a": [ROW], "b": [ROW]}, "signature_name": "serving_default"}
    assert (await client.post(PAIR, both)).json["outputs"]["difference"] == [[0, 0, 0, 0]]


async def test_text_and_nan(client: Any) -> None:
    assert (await client.post(TEXT, {"instances": ["é", ""]})).json == {"predictions": ["é", ""]}
    reply = await client.post("/v1/models/nan:predict", {"instances": [[5, 0, 0, 0]]})
    assert reply.json == {"predictions": [[None, 0.0, 0.0, 0.0]]}


async def test_a_version_a_key_and_a_timeout(client: Any, engine: Any) -> None:
    path = "/v1/models/one/versions/2:predict"
    reply = await client.post(path, {"instances": [ROW]}, "x-headrace-key: alice\r\n")
    assert reply.headers["x-headrace-version"] == "2"
    more = {"parameters": {"routing_key": "bob", "timeout": 3_600_000_000}}
    await client.post(ONE, {"instances": [ROW]} | more, "x-headrace-timeout-ms: 5000\r\n")
    assert [seen.key for seen in engine.seen] == ["alice", "bob"]
    assert engine.seen[0].deadline_ns == 0 < engine.seen[1].deadline_ns


async def test_a_label_pins_what_it_stands_for(client: Any, engine: Any) -> None:
    reply = await client.post("/v1/models/one/labels/champion:predict", {"instances": [ROW]})
    assert (reply.status, reply.headers["x-headrace-version"]) == (200, "1")
    assert engine.seen[-1].version == "champion"


async def test_models_and_their_state(client: Any) -> None:
    assert "one" in (await client.get("/v1/models")).json["models"]
    state = (await client.get("/v1/models/one")).json
    assert (state["name"], state["ready"]) == ("one", True)
    assert [held["state"] for held in state["model_version_status"]] == ["AVAILABLE", "AVAILABLE"]
    assert len((await client.get("/v1/models/one/versions/2")).json["model_version_status"]) == 1
    assert (await client.get("/v1/models/none")).status == 404


FAULTS: dict[str, tuple[int, str, Any]] = {
    "no JSON": (400, ONE, b"{"),
    "no object": (400, ONE, [ROW]),
    "neither": (400, ONE, {}),
    "both": (400, ONE, {"instances": [ROW], "inputs": [ROW]}),
    "no rows": (400, ONE, {"instances": []}),
    "one row in place of a list": (400, ONE, {"instances": ROW}),
    "a ragged row": (400, ONE, {"instances": [ROW, [1]]}),
    "another width": (400, ONE, {"instances": [[1, 2]]}),
    "text for a number": (400, ONE, {"instances": [["a", 1, 2, 3]]}),
    "nested too deep": (400, ONE, b'{"inputs": ' + b"[" * 500 + b"]" * 500 + b"}"),
    "nested beyond reason": (400, ONE, b'{"inputs": ' + b"[" * 100_000 + b"]" * 100_000 + b"}"),
    "an unknown key": (400, ONE, {"instances": [ROW], "more": 1}),
    "an unknown input": (400, ONE, {"instances": [{"z": ROW}]}),
    "a missing input": (400, PAIR, {"instances": [{"a": ROW}]}),
    "inputs without names": (400, PAIR, {"instances": [ROW]}),
    "rows of different names": (400, PAIR, {"instances": [{"a": ROW, "b": ROW}, {"a": ROW}]}),
    "a row that is no object": (400, PAIR, {"instances": [{"a": ROW, "b": ROW}, ROW]}),
    "parameters of a list": (400, ONE, {"instances": [ROW], "parameters": {"a": [1]}}),
    "half floats": (400, "/v1/models/half:predict", {"instances": [ROW]}),
    "an unknown model": (404, "/v1/models/none:predict", {"instances": [ROW]}),
    "an unknown version": (404, "/v1/models/one/versions/9:predict", {"instances": [ROW]}),
    "a bad version": (400, "/v1/models/one/versions/1e3:predict", {"instances": [ROW]}),
    "a label that stands for nothing": (404, "/v1/models/one/labels/canary:predict", {"instances": [ROW]}),
    "a number for a label": (400, "/v1/models/one/labels/1:predict", {"instances": [ROW]}),
    "a bad name": (400, "/v1/models/.one:predict", {"instances": [ROW]}),
    "another verb": (404, "/v1/models/one:explain", {"instances": [ROW]}),
    "overload, whatever the body holds": (503, "/v1/models/busy:predict", b"{"),
    "a failure of ours": (500, "/v1/models/broken:predict", {"instances": [{"a": ROW, "b": ROW}]}),
}


@pytest.mark.parametrize("name", FAULTS)
async def test_faults(name: str, client: Any) -> None:
    status, path, data = FAULTS[name]
    reply = await client.post(path, data)
    assert reply.status == status, reply.body
    assert list(reply.json) == ["error"]
    assert len(reply.body) <= 1024
    assert "/srv" not in reply.json["error"]
    assert (await client.post(ONE, {"instances": [ROW]})).status == 200


async def test_predict_takes_post_only(client: Any) -> None:
    reply = await client.get(ONE)
    assert (reply.status, reply.headers["allow"]) == (405, "POST")


@pytest.mark.parametrize("path", ["/serving-endpoints/one/invocations", "/models/one/invoke"])
async def test_mlflow_bodies_where_the_path_names_the_model(path: str, client: Any) -> None:
    split = {"columns": ["p", "q", "r", "s"], "data": [ROW]}
    reply = await client.post(path, {"dataframe_split": split})
    assert (reply.status, reply.json) == (200, {"predictions": [ROW]})
    assert reply.headers["x-headrace-version"] == "1"
    lines = b"p,q,r,s\n1,2,3,4\n"
    assert (await client.post(path, lines, "content-type: text/csv\r\n")).json == {"predictions": [ROW]}
    assert (await client.post(ONE, lines, "content-type: text/csv\r\n")).status == 415
    narrow = {"columns": ["p"], "data": [[1]]}
    assert (await client.post(path, {"dataframe_split": narrow})).status == 400
    assert (await client.get(path)).status == 405


@pytest.mark.parametrize("path", ["/invocations", "/score"])
async def test_a_path_without_a_model_means_the_default(
    path: str, client: Any, engine: Any, tmp_path: Path
) -> None:
    rows = {"instances": [{"a": ROW, "b": ROW}]}
    refused = await client.post(path, rows)
    assert refused.status == 404
    assert "default_model" in refused.json["error"]
    own = HttpListener(Service(engine, Limits(), default_model="pair"))
    await own.listen_unix(tmp_path / "own.sock")
    reader, writer = await asyncio.open_unix_connection(str(tmp_path / "own.sock"))
    reply = await type(client)(reader, writer).post(path, rows)
    assert reply.json == {"predictions": [{"sum": [2, 4, 6, 8], "difference": [0, 0, 0, 0]}]}
    writer.close()
    await own.drain(0.05)


@pytest.mark.parametrize("default", ["", "one", "pair"])
async def test_whoever_has_a_key_for_one_model_hears_of_no_other(
    default: str, client: Any, engine: Any, tmp_path: Path
) -> None:
    gate = Gate()
    gate.take(1, Keyring(tuple(_key(name) for name in ("pair", "none", "o*"))))
    own = HttpListener(Service(engine, Limits(), gate=gate, default_model=default))
    await own.listen_unix(tmp_path / "own.sock")
    reader, writer = await asyncio.open_unix_connection(str(tmp_path / "own.sock"))
    caller = type(client)(reader, writer)
    rows = {"instances": [{"a": ROW, "b": ROW}]}
    reply = await caller.post("/invocations", rows, "x-api-key: pair\r\n")
    assert (reply.status, [*reply.json["predictions"][0]]) == (200, ["sum", "difference"])
    refused = await caller.post("/invocations", rows, "x-api-key: none\r\n")
    assert refused.status == 404
    assert "names no model" in refused.json["error"]
    writer.close()
    await own.drain(0.05)


def _key(model: str) -> Key:
    return Key(model, digest(model), KeyRole.INFERENCE, (model,))
