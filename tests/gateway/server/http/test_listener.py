import asyncio
from typing import Any

import orjson
import pytest


async def start_slow(client: Any, engine: Any, pair: Any) -> None:
    body = orjson.dumps(pair)
    client.send(f"POST /v2/models/slow/infer HTTP/1.1\r\ncontent-length: {len(body)}\r\n\r\n".encode() + body)
    await engine.arrived.wait()


async def test_leaving_is_seen_by_the_balancer_while_requests_are_still_answered(
    client: Any, connect: Any, listener: Any, pair: Any
) -> None:
    assert listener.serving
    listener.leave()
    reply = await client.get("/v2/health/ready")
    assert (reply.status, reply.headers["connection"]) == (400, "close")
    assert (await (await connect()).get("/ping")).status == 503
    assert (await (await connect()).get("/v2/health/live")).status == 200
    assert (await (await connect()).post("/v2/models/pair/infer", pair)).status == 200


async def test_draining_waits_for_what_is_under_way(
    client: Any,
    connect: Any,
    listener: Any,
    engine: Any,
    pair: Any,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    monkeypatch.setattr("gateway.server.http.listener._SWEEP_S", 3600)  # nothing here needs the sweep
    idle = await connect()
    await idle.get("/v2")
    await start_slow(client, engine, pair)
    draining = asyncio.create_task(listener.drain(10))
    assert await idle.closed()
    assert not listener.serving
    assert not draining.done()
    engine.gate.set()
    reply = await client.read()
    assert (reply.status, reply.headers["connection"]) == (200, "close")
    client.writer.close()
    await draining
    assert caplog.text == ""
    with pytest.raises(OSError, match="refused"):
        await connect()


async def test_draining_ends_what_does_not_finish(
    client: Any, listener: Any, engine: Any, pair: Any, caplog: pytest.LogCaptureFixture
) -> None:
    await start_slow(client, engine, pair)
    await listener.drain(0)
    assert await client.closed()
    assert engine.cancelled == 1
    assert "did not finish" in caplog.text


async def test_too_many_connections_are_turned_away_and_counted(connect: Any, listener: Any) -> None:
    clients = [await connect() for _ in range(21)]
    for client in clients[:20]:
        assert (await client.get("/v2")).status == 200
    assert (await clients[20].read()).status == 503
    assert listener.refused == 1
    for client in clients[:20]:
        assert (await client.get("/v2")).status == 200
    for client in clients[:2]:
        client.writer.write_eof()
        assert await client.closed()
    assert (await (await connect()).get("/v2")).status == 200


async def test_the_memory_of_known_urls_is_bounded(client: Any, listener: Any, pair: Any) -> None:
    for number in range(1, 30):
        await client.post(f"/v2/models/nobody{number}/infer", pair)
    assert listener._targets == {}
    await client.post("/v2/models/pair/infer", pair)
    assert len(listener._targets) == 1


async def test_a_url_that_is_known_answers_as_one_that_is_not(client: Any, pair: Any) -> None:
    path, grpc = "/v2/models/pair/infer", "content-type: application/grpc\r\n"
    first = await client.post(path, pair, grpc)
    assert (await client.post(path, pair)).status == 200
    again = await client.post(path, pair, grpc)
    assert (first.status, first.json) == (again.status, again.json)
    assert first.status == 415
