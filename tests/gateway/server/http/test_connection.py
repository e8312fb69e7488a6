import asyncio
import gzip
import zlib
from typing import Any

import orjson
import pytest

INFER = "/v2/models/pair/infer"


async def test_many_requests_on_one_connection(client: Any, pair: Any) -> None:
    for _ in range(3):
        reply = await client.post(INFER, pair)
        assert reply.status == 200
        assert reply.json["outputs"][0]["data"] == [1.5, 2.5, 3.5, 4.5]


async def test_nothing_of_a_request_reaches_the_next_one(client: Any, engine: Any, pair: Any) -> None:
    head = "x-headrace-key: alice\r\ncontent-encoding: gzip\r\ncontent-type: application/json\r\n"
    await client.post(INFER, gzip.compress(orjson.dumps(pair | {"id": "first"})), head)
    reply = await client.post(INFER, pair)
    assert reply.status == 200
    assert [(seen.key, seen.id) for seen in engine.seen] == [("alice", "first"), ("", "")]
    await client.post("/v2/models/pair/versions/2/infer", pair)
    await client.post(INFER, pair)
    assert [seen.version for seen in engine.seen] == [None, None, 2, None]


async def test_a_refused_header_does_not_stick_either(client: Any, pair: Any) -> None:
    assert (await client.post(INFER, pair, "inference-header-content-length: x\r\n")).status == 400
    assert (await client.post(INFER, pair, "content-type: text/csv\r\n")).status == 415
    assert (await client.post(INFER, pair)).status == 200


async def test_pipelined_requests_are_answered_in_order(client: Any, engine: Any, pair: Any) -> None:
    slow, quick = orjson.dumps(pair | {"id": "slow"}), orjson.dumps(pair | {"id": "quick"})
    for path, body in (("/v2/models/slow/infer", slow), (INFER, quick)):
        client.send(f"POST {path} HTTP/1.1\r\ncontent-length: {len(body)}\r\n\r\n".encode() + body)
    client.send(b"GET /v2/nothing HTTP/1.1\r\n\r\n")
    await engine.arrived.wait()
    engine.gate.set()
    assert (await client.read()).json["id"] == "slow"
    assert (await client.read()).json["id"] == "quick"
    assert (await client.read()).status == 404


async def test_bytes_may_come_one_by_one(client: Any, pair: Any) -> None:
    body = orjson.dumps(pair)
    for byte in (
        f"POST {INFER} HTTP/1.1\r\nX-Long-Name: v\r\nContent-Length: {len(body)}\r\n\r\n".encode() + body
    ):
        client.send(bytes([byte]))
        await client.writer.drain()
    assert (await client.read()).status == 200


async def test_chunked_bodies_and_their_trailers(client: Any, engine: Any, pair: Any) -> None:
    body = orjson.dumps(pair)
    parts = [body[i : i + 10] for i in range(0, len(body), 10)]
    chunks = b"".join(b"%x\r\n%s\r\n" % (len(part), part) for part in parts)
    head = f"POST {INFER} HTTP/1.1\r\ntransfer-encoding: chunked\r\n\r\n".encode()
    client.send(head + chunks + b"0\r\nx-headrace-key: smuggled\r\n\r\n")
    assert (await client.read()).status == 200
    assert engine.seen[0].key == ""


async def test_expect_100_continue(client: Any, pair: Any) -> None:
    body = orjson.dumps(pair)
    client.send(
        f"POST {INFER} HTTP/1.1\r\nexpect: 100-continue\r\ncontent-length: {len(body)}\r\n\r\n".encode()
    )
    assert (await client.read()).status == 100
    client.send(body)
    assert (await client.read()).status == 200


async def test_a_body_over_the_cap_is_refused_before_it_is_sent(client: Any) -> None:
    client.send(f"POST {INFER} HTTP/1.1\r\nexpect: 100-continue\r\ncontent-length: 9999999\r\n\r\n".encode())
    reply = await client.read()
    assert reply.status == 413
    assert reply.headers["connection"] == "close"
    assert await client.closed()


CHUNKED = b"POST /v2/models/pair/infer HTTP/1.1\r\ntransfer-encoding: chunked\r\n\r\n"
REFUSED = {
    "12 a head that is no HTTP": (b"\0\1\2\3 rubbish\r\n\r\n", 400),
    "12 h2 by prior knowledge": (b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 400),
    "12 a length beside a chunked body": (
        b"GET /v2 HTTP/1.1\r\ntransfer-encoding: chunked\r\ncontent-length: 3\r\n\r\n0\r\n\r\n",
        400,
    ),
    "6 two lengths": (b"POST / HTTP/1.1\r\ncontent-length: 3\r\ncontent-length: 4\r\n\r\nabc", 400),
    "6 a negative length": (b"POST / HTTP/1.1\r\ncontent-length: -3\r\n\r\nabc", 400),
    "12 bare line feeds": (b"GET /v2 HTTP/1.1\nhost: h\n\n", 400),
    "12 a chunk size that overflows": (CHUNKED + b"fffffffffffffffff\r\n", 400),
    "10 another transfer coding": (CHUNKED.replace(b": chunked", b": gzip, chunked") + b"0\r\n\r\n", 415),
    "11 65,537 chunks": (CHUNKED + b"1\r\nx\r\n" * 65_537, 400),
    "7 a body over the cap in chunks": (CHUNKED + (b"40000\r\n" + b"x" * 0x40000 + b"\r\n") * 5, 413),
    "17 a long header": (b"GET /v2 HTTP/1.1\r\nx-a: " + b"a" * 17_000 + b"\r\n\r\n", 431),
    "17 101 headers": (b"GET /v2 HTTP/1.1\r\n" + b"a: b\r\n" * 101 + b"\r\n", 431),
    "17 a head without an end": (b"GET /v2 HTTP/1.1\r\nx-a: " + b"a" * 600_000, 431),
    "18 a long URL": (b"GET /" + b"v" * 8_200 + b" HTTP/1.1\r\n\r\n", 414),
}


@pytest.mark.parametrize("name", REFUSED)
async def test_refused_on_the_wire(name: str, connect: Any) -> None:
    data, status = REFUSED[name]
    client = await connect()
    client.send(data)
    reply = await client.read()
    assert reply.status == status
    assert reply.headers["connection"] == "close"
    assert list(reply.json) == ["error"]
    assert len(reply.body) <= 1024
    assert await client.closed()
    assert (await (await connect()).get("/v2")).status == 200


async def test_a_body_that_ends_early(client: Any) -> None:
    client.send(f"POST {INFER} HTTP/1.1\r\ncontent-length: 50\r\n\r\n{{}}".encode())
    client.writer.write_eof()
    assert (await client.read()).status == 400
    assert await client.closed()


async def test_an_inference_ends_when_its_caller_hangs_up(client: Any, engine: Any, pair: Any) -> None:
    body = orjson.dumps(pair)
    client.send(f"POST /v2/models/slow/infer HTTP/1.1\r\ncontent-length: {len(body)}\r\n\r\n".encode() + body)
    await engine.arrived.wait()
    client.writer.transport.abort()
    await engine.ended.wait()


async def test_connection_close_and_old_clients(connect: Any) -> None:
    client = await connect()
    client.send(b"GET /v2 HTTP/1.1\r\nconnection: close\r\n\r\n")
    assert (await client.read()).headers["connection"] == "close"
    assert await client.closed()
    client = await connect()
    client.send(b"GET /v2 HTTP/1.0\r\n\r\n")
    assert (await client.read()).headers["connection"] == "close"
    client = await connect()
    client.send(b"GET /v2 HTTP/1.0\r\nconnection: keep-alive\r\n\r\n" * 2)
    assert (await client.read()).headers["connection"] == "keep-alive"
    assert (await client.read()).status == 200


OFFER = "connection: upgrade, http2-settings\r\nupgrade: h2c\r\n"


async def test_an_offer_to_upgrade_is_declined(client: Any) -> None:
    client.send(f"GET /v2 HTTP/1.1\r\n{OFFER}\r\n".encode() * 2_000)
    reply = await client.read()
    assert reply.status == 200
    assert reply.headers["connection"] == "close"
    assert await client.closed()


async def test_a_request_with_an_offer_keeps_its_body(connect: Any, engine: Any, pair: Any) -> None:
    body = orjson.dumps(pair | {"id": "offered"})
    for framing, framed in (
        (f"content-length: {len(body)}", body),
        (
            "transfer-encoding: chunked",
            b"%x\r\n%s\r\n0\r\n\r\n" % (len(body), body),
        ),
    ):
        head = f"POST {INFER} HTTP/1.1\r\n{OFFER}x-headrace-key: k\r\n{framing}\r\n\r\n".encode()
        for cut in (0, len(head), len(head) + 9):
            client = await connect()
            client.send((head + framed)[:cut])
            await client.writer.drain()
            await asyncio.sleep(0)
            client.send((head + framed)[cut:])
            reply = await client.read()
            assert (reply.status, reply.json.get("id")) == (200, "offered")
            assert engine.seen.pop().key == "k"


async def test_a_tunnel_is_refused(client: Any) -> None:
    client.send(b"CONNECT h:80 HTTP/1.1\r\nupgrade: h2c\r\nconnection: upgrade\r\nhost: h:80\r\n\r\n")
    assert (await client.read()).status == 400
    assert await client.closed()


async def test_a_slow_reader_is_not_buffered_without_end(client: Any, engine: Any) -> None:
    rows = 2_000
    body = {"inputs": [{"name": "x", "datatype": "FP32", "shape": [rows, 4], "data": [0.123456] * rows * 4}]}
    data = zlib.compress(orjson.dumps(body))
    head = "POST /v2/models/one/infer HTTP/1.1\r\ncontent-encoding: deflate\r\n"
    head += f"content-length: {len(data)}\r\n\r\n"
    for _ in range(200):
        client.send(head.encode() + data)
    await client.read()
    assert len(engine.seen) < 200
    for _ in range(199):
        assert (await client.read()).status == 200


async def test_a_body_may_take_long_but_must_not_trickle(connect: Any, listener: Any) -> None:
    now = asyncio.get_running_loop().time
    trickle, steady = await connect(), await connect()
    head = b"POST /v2/models/one/infer HTTP/1.1\r\ncontent-length: 1000000\r\n\r\n"
    trickle.send(head + b"{")
    steady.send(head + b" " * 500_000)
    await (await connect()).get("/v2")  # by now the others' bytes have come too
    for connection in list(listener._connections):
        connection._active_at = now() + 61  # a byte has just come
        connection.sweep(now() + 61)
    assert (await trickle.read()).status == 408
    steady.send(b" " * 500_000)
    assert (await steady.read()).status == 400  # it was read to its end


async def test_what_takes_too_long_is_ended(connect: Any, listener: Any) -> None:
    now = asyncio.get_running_loop().time
    partial, idle = await connect(), await connect()
    partial.send(b"GET /v2 HTTP/1.1\r\nhost")
    await idle.get("/v2")
    for connection in list(listener._connections):
        connection.sweep(now() + 11)
    assert (await partial.read()).status == 408
    for connection in list(listener._connections):
        connection.sweep(now() + 61)
    assert await idle.closed()
