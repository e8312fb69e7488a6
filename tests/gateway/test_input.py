"""What the whole node does with bad input, by the numbers of the hardening list: over real sockets, through
the edge and to the worker itself. After each fault the next request is answered.
"""

import json
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import psutil
import pytest
from onnx import TensorProto, helper

from gateway.server.edge.haproxy import LANE
from tests.gateway.conftest import tensor
from tests.gateway.exchange import Reply, exchange, post
from tests.gateway.lone_node import GIVEN
from tests.gateway.node import Node, config_of
from tests.gateway.server.http.test_connection import REFUSED
from tests.gateway.server.http.test_inference import ACCEPTED, FAULTS, ONE, binary, body
from tests.graphs import serialised

ROOT = Path(__file__).parents[2]
WAYS = ("direct", "edge")
# Faults of an engine's own making: the tests of the listener provoke them with an engine that plays them.
PLAYED = {"overload", "overload, whatever the body holds", "a failure of ours"}


def _copy(name: str, kind: int, shape: list[int | str], output: str = "y") -> bytes:
    """A model that gives back what it takes."""
    return serialised(
        helper.make_graph(
            [helper.make_node("Identity", [name], [output])],
            "copy",
            [tensor(name, kind, shape)],
            [tensor(output, kind, shape)],
        )
    )


def _pair() -> bytes:
    rows: list[int | str] = ["n", 4]
    return serialised(
        helper.make_graph(
            [
                helper.make_node("Add", ["a", "b"], ["sum"]),
                helper.make_node("Sub", ["a", "b"], ["difference"]),
            ],
            "pair",
            [tensor(name, TensorProto.FLOAT, rows) for name in ("a", "b")],
            [tensor(name, TensorProto.FLOAT, rows) for name in ("sum", "difference")],
        )
    )


def _half() -> bytes:
    return serialised(
        helper.make_graph(
            [helper.make_node("Cast", ["x"], ["h"], to=TensorProto.FLOAT16)],
            "half",
            [tensor("x", TensorProto.FLOAT, ["n", 4])],
            [tensor("h", TensorProto.FLOAT16, ["n", 4])],
        )
    )


@pytest.fixture(scope="module")
def models() -> dict[str, bytes]:
    return {
        "one": _copy("x", TensorProto.FLOAT, ["n", 4]),
        "fixed": _copy("x", TensorProto.FLOAT, [1, 4]),
        "loading": _copy("x", TensorProto.FLOAT, ["n", 5]),
        "pair": _pair(),
        "half": _half(),
        "ints": _copy("i", TensorProto.UINT8, ["n"], "o"),
        "text": _copy("s", TensorProto.STRING, ["n"], "t"),
    }


@pytest.fixture(scope="module")
def node(tmp_path_factory: pytest.TempPathFactory, models: dict[str, bytes]) -> Iterator[Node]:
    with Node(config_of(tmp_path_factory.mktemp("home"), limits={"max_body_mb": 1}), models) as node:
        yield node


def assert_small(reply: Reply, status: int, home: Path) -> None:
    assert reply.status == status, reply.body
    assert reply.headers["content-type"] == "application/json"
    document = json.loads(reply.body)
    assert list(document) == ["error"]
    assert len(reply.body) <= 1024
    assert not any(word in document["error"] for word in ("Traceback", str(home), ".py", "0x"))


def assert_serving(port: int) -> None:
    assert post(port, ONE, body()).status == 200


@pytest.fixture(params=WAYS)
def ports(request: pytest.FixtureRequest, node: Node) -> tuple[int, int]:
    """HTTP and gRPC."""
    ports: tuple[int, int] = getattr(node, request.param)
    return ports


@pytest.mark.parametrize("name", sorted(FAULTS.keys() - PLAYED))
def test_a_bad_inference(name: str, ports: tuple[int, int], node: Node) -> None:
    status, path, data, head = FAULTS[name]
    assert_small(post(ports[0], path, data, head), status, node.config.home)
    assert_serving(ports[0])


@pytest.mark.parametrize("name", ACCEPTED)
def test_odd_and_accepted(name: str, ports: tuple[int, int]) -> None:
    assert post(ports[0], ONE, ACCEPTED[name]).status == 200


# What HAProxy's parser refuses it answers with a page of its own that no setting changes: as small as ours,
# and it names nothing.
ITS_OWN_WORDS = {
    "12 a head that is no HTTP": (400, "close"),
    "6 two lengths": (400, "close"),
    "6 a negative length": (400, "close"),
    "12 a chunk size that overflows": (400, "close"),
    "17 a head without an end": (400, "close"),
    "10 another transfer coding": (422, None),
}
# What it takes, as RFC 9112 lets it, it passes on with one reading only: no request hides in another.
READ_ONE_WAY = {"12 bare line feeds": (200, None), "12 a length beside a chunked body": (200, "close")}


@pytest.mark.parametrize("name", REFUSED)
def test_bad_framing_at_the_worker(name: str, node: Node) -> None:
    data, status = REFUSED[name]
    assert_small(exchange(node.direct[0], data), status, node.config.home)
    assert_serving(node.direct[0])


@pytest.mark.parametrize("name", sorted(REFUSED.keys() - {"12 h2 by prior knowledge"}))
def test_bad_framing_at_the_edge(name: str, node: Node) -> None:
    data, status = REFUSED[name]
    port = node.edge[0]
    if "chunks" in name:
        data += b"0\r\n\r\n"  # HAProxy joins chunks as they come, and the worker waits for the last
    reply = exchange(port, data.replace(b" HTTP/1.1\r\n", b" HTTP/1.1\r\nhost: h\r\n", 1))
    if name in ITS_OWN_WORDS:
        assert (reply.status, reply.headers.get("connection")) == ITS_OWN_WORDS[name]
        assert b"haproxy" not in reply.body.lower()
        assert len(reply.body) <= 1024
    elif name in READ_ONE_WAY:
        assert (reply.status, reply.headers.get("connection")) == READ_ONE_WAY[name]
    else:
        assert_small(reply, status, node.config.home)
    assert_serving(port)


@pytest.mark.parametrize("head", ["content-length: 50\r\n", "transfer-encoding: chunked\r\n"])
def test_6_a_body_that_ends_early(head: str, node: Node) -> None:
    start = f"POST {ONE} HTTP/1.1\r\nhost: h\r\n{head}\r\n".encode()
    for port in (node.direct[0], node.edge[0]):
        with socket.create_connection(("127.0.0.1", port), timeout=20) as connection:
            connection.sendall(start + b"a\r\n{}")
            connection.shutdown(socket.SHUT_WR)
            answer = connection.makefile("rb").read()  # HAProxy drops such a request without a word
        assert answer.startswith(b"HTTP/1.1 400 ") or (not answer and port == node.edge[0])
        assert_serving(port)


@pytest.mark.parametrize(("method", "path"), [("GET", ONE), ("DELETE", ONE), ("GET", "/v2/repository/index")])
def test_19_a_wrong_method(method: str, path: str, ports: tuple[int, int], node: Node) -> None:
    reply = exchange(ports[0], f"{method} {path} HTTP/1.1\r\nhost: h\r\n\r\n".encode())
    assert_small(reply, 405, node.config.home)
    assert_serving(ports[0])


@pytest.mark.parametrize("kind", ["application/grpc-web+proto", "application/grpc-web-text", "text/plain"])
def test_10_grpc_in_another_form(kind: str, node: Node) -> None:
    for port in (node.direct[0], *node.edge):
        assert_small(post(port, LANE, b"\0" * 5, f"content-type: {kind}\r\n"), 415, node.config.home)
        assert_serving(node.edge[0])


def test_6_no_length_at_all(ports: tuple[int, int], node: Node) -> None:
    assert_small(
        exchange(ports[0], f"POST {ONE} HTTP/1.1\r\nhost: h\r\n\r\n".encode()), 400, node.config.home
    )


ROWS = 120_000
ZEROS = b",".join([b"0"] * 4 * ROWS)
GROWN = b'{"inputs": [{"name": "x", "datatype": "FP32", "shape": [%d, 4], "data": [%s]}]}' % (ROWS, ZEROS)


def test_9_json_that_grows_when_it_is_read(ports: tuple[int, int]) -> None:
    assert post(ports[0], ONE, GROWN).status == 200


def test_all_of_it_leaves_no_memory(tmp_path: Path, models: dict[str, bytes]) -> None:
    given = tmp_path / GIVEN
    given.mkdir()
    for name, model in models.items():
        (given / f"{name}.onnx").write_bytes(model)
    command = [sys.executable, "-m", "tests.gateway.lone_node", str(tmp_path)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, cwd=ROOT) as process:
        assert process.stdin
        assert process.stdout
        ways = [http for http, _ in json.loads(process.stdout.readline())]
        for port in ways:
            assert_serving(port)
        before = psutil.Process(process.pid).memory_info().rss
        for port in ways:
            for name in sorted(FAULTS.keys() - PLAYED):
                _, path, data, head = FAULTS[name]
                post(port, path, data, head)
            for data in (*ACCEPTED.values(), *[GROWN] * 5):
                assert post(port, ONE, data).status == 200
        for data, _ in REFUSED.values():
            exchange(ways[0], data)
        grown = psutil.Process(process.pid).memory_info().rss - before
        process.stdin.close()
    assert grown < 64 * 2**20
    assert process.returncode == 0


def test_28_nan_is_answered_and_counted(ports: tuple[int, int], node: Node) -> None:
    sent = np.array([[np.nan, np.inf, 0, 1]], np.float32).tobytes()
    data, head = binary(16, sent)
    reply = post(ports[0], ONE, data, head)
    assert reply.status == 200
    assert json.loads(reply.body)["outputs"][0]["data"] == [None, None, 0.0, 1.0]
    node.worker.collect()
    metrics = exchange(ports[0], b"GET /metrics HTTP/1.1\r\nhost: h\r\n\r\n").body
    assert b'outcome="invalid_output"' in metrics


def test_32_an_id_that_was_used_before(ports: tuple[int, int]) -> None:
    first, second = (post(ports[0], ONE, body(id="same")) for _ in range(2))
    assert first.status == second.status == 200
    name = "x-headrace-prediction-id"
    assert first.headers[name] != second.headers[name]
