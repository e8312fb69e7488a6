from importlib.metadata import version
from typing import Any

import pytest

from gateway.server.http.paths import parse

CASES: list[tuple[str, str, int]] = [
    ("GET", "/v2", 200),
    ("GET", "/v2/", 200),
    ("GET", "/v2?verbose=1", 200),
    ("GET", "http://elsewhere/v2", 200),
    ("GET", "HTTPS://elsewhere:8000/v2/models/pair?verbose=1", 200),
    ("GET", "http://elsewhere", 404),
    ("GET", "elsewhere:80", 400),
    ("OPTIONS", "*", 400),
    ("HEAD", "/v2", 200),
    ("POST", "/v2", 405),
    ("GET", "/v2/health/live", 200),
    ("GET", "/v2/health/ready", 200),
    ("GET", "/v2/models/pair", 200),
    ("GET", "/v2/models/pair/", 200),
    ("GET", "/v2/models/nobody", 404),
    ("GET", "/v2/models/pair/versions/2", 200),
    ("GET", "/v2/models/pair/versions/3", 404),
    ("GET", "/v2/models/pair/versions/1e3", 400),
    ("GET", "/v2/models/pair/versions/champion", 200),
    ("GET", "/v2/models/pair/versions/champion/config", 200),
    ("GET", "/v2/models/pair/versions/canary", 404),
    ("GET", "/v1/models/pair/labels/champion", 200),
    ("GET", "/v1/models/pair/labels/canary", 404),
    ("GET", "/v1/models/pair/labels/2", 400),
    ("GET", "/v2/models/pair/ready", 200),
    ("GET", "/v2/models/loading/ready", 400),
    ("GET", "/v2/models/nobody/ready", 400),
    ("GET", "/v2/models/pair/config", 200),
    ("GET", "/v2/models/pair/versions/1/config", 200),
    ("GET", "/v2/models/pair/stats", 200),
    ("GET", "/v2/models/stats", 200),
    ("GET", "/v2/models/pair/infer", 405),
    ("GET", "/v2/repository/index", 405),
    ("POST", "/v2/repository/models/pair/load", 503),
    ("POST", "/v2/repository/models/pair/unload", 503),
    ("GET", "/v2/logging", 200),
    ("POST", "/v2/logging", 200),
    ("GET", "/v2/trace/setting", 200),
    ("POST", "/v2/trace/setting", 503),
    ("GET", "/v2/models/pair/trace/setting", 200),
    ("GET", "/v2/models/nobody/trace/setting", 404),
    ("GET", "/ping", 200),
    ("GET", "/health", 200),
    ("GET", "/version", 200),
    ("GET", "/invocations", 405),
    ("POST", "/invocations", 404),
    ("GET", "/metrics", 200),
    ("GET", "/", 404),
    ("GET", "/v2/models", 404),
    ("GET", "/v2/models/../etc", 400),
    ("GET", "/v2/%2e%2e/x", 400),
    ("DELETE", "/v2/models/pair", 405),
]


@pytest.mark.parametrize(("method", "path", "status"), CASES)
async def test_status(method: str, path: str, status: int, client: Any) -> None:
    reply = await client.get(path, method)
    assert reply.status == status, reply.body
    text = path in ("/metrics", "/version")
    assert reply.headers["content-type"].partition(";")[0] == ("text/plain" if text else "application/json")
    assert ("allow" in reply.headers) == (status == 405)


@pytest.mark.parametrize(
    "path",
    [
        "/v2/repository/models/pair/load",
        "/v2/repository/models/pair/unload",
        "/v2/logging",
        "/v2/trace/setting",
        "/v2/models/pair/trace/setting",
    ],
)
@pytest.mark.parametrize("origin", ["https://evil.example", "null", "http://localhost:8000"])
async def test_a_page_that_somebody_visits_changes_nothing(path: str, origin: str, client: Any) -> None:
    reply = await client.post(path, b"{}", f"content-type: text/plain\r\norigin: {origin}\r\n")
    assert (reply.status, reply.json["error"][:9]) == (403, "web pages")


async def test_health_says_in_its_body_what_its_status_says(client: Any, listener: Any) -> None:
    assert (await client.get("/v2/health/live")).json == {"live": True}
    assert (await client.get("/v2/health/ready")).json == {"ready": True}
    assert (await client.get("/v2/models/pair/ready")).json == {"name": "pair", "ready": True}
    assert (await client.get("/v2/models/nobody/ready")).json == {"name": "nobody", "ready": False}
    listener.leave()
    assert (await client.get("/v2/health/ready")).json == {"ready": False}


async def test_metrics_and_the_release_are_text(client: Any) -> None:
    assert (await client.get("/metrics")).body == b"requests_total 1\n"
    assert (await client.get("/version")).body.decode() == version("headrace")


async def test_metadata(client: Any) -> None:
    assert (await client.get("/v2")).json["name"] == "headrace"
    assert (await client.get("/v2/models/text")).json == {
        "name": "text",
        "versions": ["1", "2"],
        "platform": "onnxruntime_onnx",
        "inputs": [{"name": "s", "datatype": "BYTES", "shape": [-1]}],
        "outputs": [{"name": "t", "datatype": "BYTES", "shape": [-1, -1]}],
    }


async def test_the_index_filters_what_is_ready(client: Any) -> None:
    every = (await client.post("/v2/repository/index", b"")).json
    ready = (await client.post("/v2/repository/index", {"ready": True})).json
    assert {"name": "pair", "version": "1", "state": "READY", "reason": ""} in ready
    assert every == sorted(every, key=lambda row: (row["name"], row["version"]))
    assert {row["name"] for row in every} - {row["name"] for row in ready} == {"loading"}
    loading = next(row for row in every if row["name"] == "loading")
    assert loading["state"] == "UNAVAILABLE"
    assert "no room" in loading["reason"]
    for wrong in (b"[]", b"{", {"ready": 1}):
        assert (await client.post("/v2/repository/index", wrong)).status == 400


async def test_a_model_named_stats_can_be_reached() -> None:
    assert parse(b"/v2/models/stats/infer").model == "stats"
    assert parse(b"/v2/models/stats").model == ""
