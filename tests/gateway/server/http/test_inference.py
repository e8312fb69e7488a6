"""Bad inputs by the numbers of the hardening list, binary bodies, compression, and a real client."""

import asyncio
import gzip
import importlib
import json
import zlib
from pathlib import Path
from typing import Any

import numpy as np
import pytest

triton: Any = importlib.import_module("tritonclient.http")
PAIR = "/v2/models/pair/infer"
ONE = "/v2/models/one/infer"
INTS = "/v2/models/ints/infer"
TEXT = "/v2/models/text/infer"


def tensor(**changes: Any) -> dict[str, Any]:
    return {"name": "x", "datatype": "FP32", "shape": [1, 4], "data": [1, 2, 3, 4]} | changes


def body(*tensors: dict[str, Any], **more: Any) -> bytes:
    return json.dumps({"inputs": list(tensors or (tensor(),)), **more}).encode()


def ints(*values: int) -> bytes:
    return body(tensor(name="i", datatype="UINT8", shape=[len(values)], data=values))


def binary(size: object, raw: bytes, **changes: Any) -> tuple[bytes, str]:
    entry = tensor(parameters={"binary_data_size": size}) | changes
    if "data" not in changes:
        del entry["data"]
    text = body(entry)
    return text + raw, f"inference-header-content-length: {len(text)}\r\n"


def deep(levels: int) -> bytes:
    return b'{"inputs": [], "more": ' + b"[" * levels + b"]" * levels + b"}"


BOMB = gzip.compress(b" " * 5_000_000)
RAW = np.ones(4, np.float32).tobytes()
FAULTS: dict[str, tuple[int, str, bytes, str]] = {
    "1 truncated": (400, ONE, body()[:-5], ""),
    "1 empty": (400, ONE, b"", ""),
    "1 not an object": (400, ONE, b"[]", ""),
    "1 no inputs": (400, ONE, b"{}", ""),
    "2 NaN literal": (400, ONE, body().replace(b"[1, 2", b"[NaN, 2"), ""),
    "2 Infinity literal": (400, ONE, body().replace(b"[1, 2", b"[-Infinity, 2"), ""),
    "2 1e999": (400, ONE, body().replace(b"[1, 2", b"[1e999, 2"), ""),
    "2 lone surrogate": (400, TEXT, body(tensor(name="s", datatype="BYTES", shape=[1], data=["\ud800"])), ""),
    "3 a number of 5,000 digits": (400, ONE, body().replace(b"[1, 2", b"[%s, 2" % (b"9" * 5000)), ""),
    "4 depth 101": (400, ONE, deep(101), ""),
    "4 depth 250,000": (400, ONE, deep(250_000), ""),
    "4 depth 101 of the index": (400, "/v2/repository/index", deep(101), ""),
    "4 depth 250,000 of settings": (400, "/v2/logging", deep(250_000), ""),
    "5 a tensor named twice": (400, ONE, body(tensor(), tensor()), ""),
    "7 body over the cap": (413, ONE, b" " * (2**20 + 1), ""),
    "8 gzip bomb": (413, ONE, BOMB, "content-encoding: gzip\r\n"),
    "8 deflate bomb": (413, ONE, zlib.compress(b" " * 5_000_000), "content-encoding: deflate\r\n"),
    "8 broken gzip": (400, ONE, b"\x1f\x8b rubbish", "content-encoding: gzip\r\n"),
    "8 truncated gzip": (400, ONE, gzip.compress(body())[:-9], "content-encoding: gzip\r\n"),
    "10 content type": (415, ONE, body(), "content-type: text/csv\r\n"),
    "10 content encoding": (415, ONE, body(), "content-encoding: br\r\n"),
    **{
        f"13 header length {value}": (400, ONE, body(), f"inference-header-content-length: {value}\r\n")
        for value in ("-1", "abc", "1.5", "", "99999999999", "9999999999999999999", "+5", "0x10")
    },
    "13 header length twice": (400, ONE, body(), "inference-header-content-length: 9\r\n" * 2),
    "14 size below the shape": (400, ONE, *binary(12, RAW[:12])),
    "14 size beyond the body": (400, ONE, *binary(16, RAW[:12])),
    "14 size negative": (400, ONE, *binary(-16, RAW)),
    "14 size a string": (400, ONE, *binary("16", RAW)),
    "14 trailing bytes": (400, ONE, *binary(16, RAW + b"more")),
    "14 size without a binary part": (400, ONE, binary(16, b"")[0], ""),
    "15 data and binary": (400, ONE, *binary(16, RAW, data=[1, 2, 3, 4])),
    "16 BYTES overrun": (
        400,
        TEXT,
        *binary(7, b"\xff\0\0\0abc", name="s", datatype="BYTES", shape=[1]),
    ),
    "16 BYTES short prefix": (400, TEXT, *binary(2, b"\1\0", name="s", datatype="BYTES", shape=[1])),
    **{
        f"20 model {name[:20]}": (400, f"/v2/models/{name}/infer", body(), "")
        for name in (
            "../etc",
            "a/../b",
            "%2e%2e%2f",
            "a%00b",
            "%20",
            "a%20b",
            "m" * 300,
            "a%2Fb",
            "%ff",
            ".a",
        )
    },
    "21 unknown model": (404, "/v2/models/model..1/infer", body(), ""),
    "21 unknown version": (404, "/v2/models/one/versions/99/infer", body(), ""),
    "21 unknown alias": (404, "/v2/models/one/versions/a/infer", body(), ""),
    **{
        f"21 version {version}": (400, f"/v2/models/one/versions/{version}/infer", body(), "")
        for version in ("-1", "1e3", str(2**63), "1a", "%31%00", "")
    },
    "22 loading": (503, "/v2/models/loading/infer", body(), ""),
    "23 no shape": (400, ONE, body({"name": "x", "datatype": "FP32", "data": [1]}), ""),
    **{
        f"23 shape {shape}": (400, ONE, body(tensor(shape=shape)), "")
        for shape in (
            [-1, 4],
            [16, 2**60 + 2],
            [4, 2**60 + 2],
            ["1", 4],
            [True, 4],
            [1.0, 4],
            4,
            None,
            [1] * 99,
        )
    },
    "24 unknown datatype": (400, ONE, body(tensor(datatype="FP33")), ""),
    "24 no datatype": (400, ONE, body(tensor(datatype=None)), ""),
    "24 another datatype": (400, ONE, body(tensor(datatype="FP64")), ""),
    "24 BF16 in JSON": (400, ONE, body(tensor(datatype="BF16")), ""),
    "24 FP16 in JSON": (400, ONE, body(tensor(datatype="FP16")), ""),
    "25 too few": (400, ONE, body(tensor(data=[1, 2, 3])), ""),
    "25 too many": (400, ONE, body(tensor(data=[[1, 2, 3, 4], [5, 6, 7, 8]])), ""),
    "26 ragged": (400, ONE, body(tensor(shape=[2, 4], data=[[1, 2, 3, 4, 5], [6, 7, 8]])), ""),
    "26 half nested": (400, ONE, body(tensor(shape=[2, 4], data=[[1, 2, 3, 4], 5])), ""),
    "26 nested too deep": (400, ONE, body(tensor(data=[[[1], [2], [3], [4]]])), ""),
    "27 300 as UINT8": (400, INTS, ints(300), ""),
    "27 -1 as UINT8": (400, INTS, ints(-1), ""),
    "27 2^63": (400, INTS, ints(2**63), ""),
    "27 2^64": (400, INTS, ints(2**64), ""),
    "27 1e39 as FP32": (400, ONE, body(tensor(data=[1e39, 0, 0, 0])), ""),
    "27 a bool among numbers": (400, ONE, body(tensor(data=[1, 2, 3, True])), ""),
    "27 a string among numbers": (400, ONE, body(tensor(data=[1, 2, 3, "4"])), ""),
    "27 null among numbers": (400, ONE, body(tensor(data=[1, 2, 3, None])), ""),
    "27 a fraction among integers": (400, INTS, body(tensor(name="i", datatype="UINT8", data=[1.5])), ""),
    "30 more rows than the model takes": (
        400,
        "/v2/models/fixed/infer",
        body(tensor(shape=[2, 4], data=[0] * 8)),
        "",
    ),
    "29 missing input": (400, PAIR, body(tensor(name="a")), ""),
    "29 extra input": (400, ONE, body(tensor(), tensor(name="y")), ""),
    "29 unknown output": (400, ONE, body(outputs=[{"name": "z"}]), ""),
    "29 an input with a long name too many": (400, ONE, body(tensor(), tensor(name="z" * 40_000)), ""),
    "29 an unknown output with a long name": (400, ONE, body(outputs=[{"name": "z" * 40_000}]), ""),
    "29 output asked for twice": (400, ONE, body(outputs=[{"name": "y"}, {"name": "y"}]), ""),
    "29 nameless input": (400, ONE, body({"datatype": "FP32", "shape": [1], "data": [1]}), ""),
    "33 long id": (400, ONE, body(id="i" * 257), ""),
    "33 id zero": (400, ONE, body(id=0), ""),
    "outputs no list": (400, ONE, body(outputs={}), ""),
    "33 control characters in the id": (400, ONE, body(id="a\r\nb"), ""),
    "33 id no string": (400, ONE, body(id=5), ""),
    "33 control characters in the key": (400, ONE, body(parameters={"routing_key": "a\nb"}), ""),
    "34 shared memory": (400, ONE, body(tensor(parameters={"shared_memory_region": "r"})), ""),
    "34 shared memory for outputs": (
        400,
        ONE,
        body(outputs=[{"name": "y", "parameters": {"shared_memory_region": "r"}}]),
        "",
    ),
    "34 sequence": (400, ONE, body(parameters={"sequence_id": 1}), ""),
    "parameter a list": (400, ONE, body(parameters={"p": [1]}), ""),
    "parameters a list": (400, ONE, body(parameters=[1]), ""),
    "classification of text": (
        400,
        ONE,
        body(outputs=[{"name": "y", "parameters": {"classification": "2"}}]),
        "",
    ),
    "overload": (503, "/v2/models/busy/infer", body(tensor(name="a"), tensor(name="b")), ""),
    "overload, whatever the body holds": (503, "/v2/models/busy/infer", b"{", ""),
    "a failure of ours": (500, "/v2/models/broken/infer", body(tensor(name="a"), tensor(name="b")), ""),
    "an output JSON cannot carry": (400, "/v2/models/half/infer", body(), ""),
}


@pytest.mark.parametrize("name", FAULTS)
async def test_faults(name: str, connect: Any) -> None:
    status, path, data, head = FAULTS[name]
    client = await connect()
    reply = await client.post(path, data, head)
    assert reply.status == status, reply.body
    assert reply.headers["content-type"] == "application/json"
    assert list(reply.json) == ["error"]
    assert len(reply.body) <= 1024
    assert "/srv" not in reply.json["error"]
    assert ("retry-after" in reply.headers) == (status == 503)
    if reply.headers.get("connection") == "close":
        client = await connect()
    assert (await client.post(ONE, body())).status == 200


ACCEPTED = {
    "5 a key given twice, the last counts": b'{"id": "a", "id": "b", ' + body()[1:],
    "depth 90": body()[:-1] + b', "more": ' + b"[" * 90 + b"]" * 90 + b"}",
    "unknown keys": body(tensor(more=1), more={"a": [1]}),
    "31 zero rows": body(tensor(shape=[0, 4], data=[])),
    "outputs empty": body(outputs=[]),
    "parameters null, each": body(
        tensor(parameters={"content_type": None}), parameters={"headers": None, "timeout": None}
    ),
    "outputs null": body(outputs=None, parameters=None, id=None),
    "integers as floats": body(tensor(data=[2**63, -1, 0, 1])),
}


@pytest.mark.parametrize("name", ACCEPTED)
async def test_accepted(name: str, client: Any) -> None:
    reply = await client.post(ONE, ACCEPTED[name])
    assert reply.status == 200, reply.body


@pytest.mark.parametrize("kind", ["text/plain;charset=UTF-8", "application/x-www-form-urlencoded"])
async def test_a_type_that_clients_give_any_body_says_nothing(client: Any, kind: str) -> None:
    """JavaScript's fetch and curl."""
    assert (await client.post(ONE, body(), f"content-type: {kind}\r\n")).status == 200


async def test_an_answer_says_what_served_and_who_asked(client: Any, pair: Any) -> None:
    reply = await client.post(PAIR, pair | {"id": "7"})
    assert reply.headers["content-type"] == "application/json"
    assert (reply.headers["x-headrace-version"], reply.headers["x-headrace-prediction-id"]) == ("1", "p-1")
    assert reply.json == {
        "model_name": "pair",
        "model_version": "1",
        "id": "7",
        "outputs": [
            {"name": "sum", "datatype": "FP32", "shape": [1, 4], "data": [1.5, 2.5, 3.5, 4.5]},
            {"name": "difference", "datatype": "FP32", "shape": [1, 4], "data": [0.5, 1.5, 2.5, 3.5]},
        ],
    }
    assert "id" not in (await client.post(PAIR, pair)).json
    pinned = await client.post("/v2/models/pair/versions/2/infer", pair)
    assert pinned.json["model_version"] == pinned.headers["x-headrace-version"] == "2"


async def test_the_routing_key_comes_by_header_or_parameter(client: Any, engine: Any) -> None:
    await client.post(ONE, body(), "x-headrace-key: header\r\n")
    await client.post(ONE, body(parameters={"routing_key": "parameter"}), "x-headrace-key: header\r\n")
    await client.post(ONE, body(), "x-headrace-key: Zoë\r\n")
    await client.post(ONE, body(parameters={"routing_key": "Zoë"}))
    assert [seen.key for seen in engine.seen] == ["header", "parameter", "Zoë", "Zoë"]


async def test_nonfinite_values_pass_in_binary_and_are_named_in_json(client: Any) -> None:
    data, head = binary(16, np.array([np.nan, np.inf, 0, 5], np.float32).tobytes())
    reply = await client.post("/v2/models/nan/infer", data, head)
    assert reply.json["outputs"][0]["data"] == [None, None, 0.0, None]
    assert reply.json["parameters"] == {"nonfinite_outputs": "y"}


async def test_a_raw_body_is_the_only_input(client: Any) -> None:
    raw = np.arange(8, dtype=np.float32).tobytes()
    reply = await client.post(ONE, raw, "inference-header-content-length: 0\r\n")
    assert reply.headers["content-type"] == "application/octet-stream"
    length = int(reply.headers["inference-header-content-length"])
    assert json.loads(reply.body[:length])["outputs"][0]["shape"] == [2, 4]
    assert reply.body[length:] == raw
    text = await client.post(TEXT, b"whole body", "inference-header-content-length: 0\r\n")
    assert text.body.endswith(b"\x0a\0\0\0whole body")
    assert (await client.post(ONE, raw[:-1], "inference-header-content-length: 0\r\n")).status == 400
    assert (await client.post(PAIR, raw, "inference-header-content-length: 0\r\n")).status == 400


async def test_an_answer_is_compressed_if_asked_for(client: Any) -> None:
    rows = body(tensor(shape=[100, 4], data=[0.5] * 400))
    plain = await client.post(ONE, rows)
    assert "content-encoding" not in plain.headers
    zipped = await client.post(ONE, rows, "accept-encoding: br;q=1, gzip\r\n")
    assert zipped.headers["content-encoding"] == "gzip"
    assert gzip.decompress(zipped.body) == plain.body
    deflated = await client.post(ONE, rows, "accept-encoding: gzip;q=0, deflate\r\n")
    assert zlib.decompress(deflated.body) == plain.body


async def test_large_bodies_are_compressed_too(client: Any) -> None:
    rows = np.random.default_rng(0).random((5_000, 4), np.float32)
    data, head = binary(rows.nbytes, rows.tobytes(), shape=[5_000, 4])
    plain = await client.post(ONE, data, head)
    zipped = gzip.compress(data)
    reply = await client.post(ONE, zipped, head + "content-encoding: gzip\r\naccept-encoding: deflate\r\n")
    assert (plain.status, reply.status) == (200, 200)
    assert zlib.decompress(reply.body) == plain.body


async def test_a_real_client(listener: Any, engine: Any) -> None:
    port = await listener.listen_tcp("127.0.0.1", 0)
    await asyncio.to_thread(_drive, f"127.0.0.1:{port}")
    assert all(seen.protocol == "http" for seen in engine.seen)


def _drive(address: str) -> None:
    with triton.InferenceServerClient(address) as client:
        assert client.is_server_live()
        assert client.is_server_ready()
        assert client.is_model_ready("pair")
        assert not client.is_model_ready("loading")
        assert client.get_model_metadata("pair")["versions"] == ["1", "2"]
        assert client.get_model_config("pair")["input"][0]["data_type"] == "TYPE_FP32"
        a, b = np.ones((2, 4), np.float32), np.arange(8, dtype=np.float32).reshape(2, 4)
        for as_binary in (True, False):
            inputs = [triton.InferInput(name, [2, 4], "FP32") for name in "ab"]
            inputs[0].set_data_from_numpy(a, binary_data=as_binary)
            inputs[1].set_data_from_numpy(b, binary_data=False)
            for outputs in (
                None,
                [triton.InferRequestedOutput("sum", binary_data=as_binary)],
                [triton.InferRequestedOutput("sum", binary_data=not as_binary)],
            ):
                for zipped in (None, "gzip", "deflate"):
                    result = client.infer(
                        "pair",
                        inputs,
                        outputs=outputs,
                        request_compression_algorithm=zipped,
                        response_compression_algorithm=zipped,
                    )
                    np.testing.assert_array_equal(result.as_numpy("sum"), a + b)
        text = triton.InferInput("s", [2], "BYTES")
        text.set_data_from_numpy(np.array([b"\xff\0", "hé".encode()], object), binary_data=True)
        assert list(client.infer("text", [text]).as_numpy("t")) == [b"\xff\0", "hé".encode()]
        classes = triton.InferRequestedOutput("sum", binary_data=True, class_count=2)
        top = client.infer("pair", inputs, outputs=[classes]).as_numpy("sum")
        assert top.tolist() == [[b"4.000000:3", b"3.000000:2"], [b"8.000000:3", b"7.000000:2"]]
        statistics = client.get_inference_statistics("pair")["model_stats"][0]
        assert statistics["execution_count"] == 19
        assert statistics["inference_count"] == 38


async def test_one_worker_serves_several_sockets(connect: Any, listener: Any, tmp_path: Path) -> None:
    await listener.listen_unix(tmp_path / "second.sock")
    reader, writer = await asyncio.open_unix_connection(str(tmp_path / "second.sock"))
    writer.write(b"GET /v2/health/live HTTP/1.1\r\n\r\n")
    assert (await reader.readline()).startswith(b"HTTP/1.1 200")
    writer.close()
    assert (await (await connect()).get("/v2/health/live")).status == 200


async def test_a_timeout_comes_by_header_or_parameter_and_the_earlier_one_holds(
    client: Any, engine: Any
) -> None:
    long, short = body(parameters={"timeout": 3_600_000_000}), body(parameters={"timeout": 1_000_000})
    header = "x-headrace-timeout-ms: 60000\r\n"
    for data, headers in ((long, ""), (long, header), (short, header), (body(), header), (body(), "")):
        await client.post(ONE, data, headers)
    alone, by_header, by_parameter, only_header, none = (asked.deadline_ns for asked in engine.seen)
    assert by_parameter < by_header < alone
    assert only_header > by_parameter
    assert none == 0


@pytest.mark.parametrize("value", ["soon", "-1", "1e3", "", "99999999999"])
async def test_a_timeout_that_is_no_number_is_refused(client: Any, value: str) -> None:
    reply = await client.post(ONE, body(), f"x-headrace-timeout-ms: {value}\r\n")
    assert (reply.status, "milliseconds" in reply.json["error"]) == (400, True)
