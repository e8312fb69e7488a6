"""A node stands by for the first one, and others have joined: registry in PostgreSQL, artifacts in S3.

All are on this machine, each with a loopback address, a home and ports of its own.
"""

import socket
import socketserver
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import pytest

from lifecycle.client import Client
from tests.e2e.harness import Load, Node, signed, workers
from tests.ports import free_port
from tests.postgres import Postgres

pytestmark = pytest.mark.e2e


@contextmanager
def balancer(*ports: int) -> Iterator[str]:
    """The URL of a TCP balancer that leads to the first of some ports that takes connections."""

    class Connection(socketserver.BaseRequestHandler):
        def handle(self) -> None:
            for port in ports:
                try:
                    server = socket.create_connection(("127.0.0.1", port))
                except OSError:
                    continue
                back = threading.Thread(target=pass_on, args=(server, self.request), daemon=True)
                back.start()
                pass_on(self.request, server)
                return

    def pass_on(source: socket.socket, target: socket.socket) -> None:
        with source, target:
            try:
                while data := source.recv(65536):
                    target.sendall(data)
            except OSError:
                return

    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), Connection) as server:
        server.daemon_threads = True
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_address[1]}"
        server.shutdown()


def test_the_node_that_stands_by_takes_over_those_that_joined(
    tmp_path: Path,
    postgres: Postgres,
    s3: str,
    until: Callable[[Callable[[], bool], float, str], None],
) -> None:
    names = ("first", "standby", "joined")
    first, standby, joined = nodes = [
        Node(tmp_path / name, free_port(), free_port(), free_port()) for name in names
    ]
    settings = f'store = "{postgres.database()}"\nartifacts = "{s3}/nodes"\n'
    for node in (first, standby):
        node.home.mkdir()
        (node.home / "headrace.toml").write_text(settings)
    try:
        with balancer(first.admin, standby.admin) as url, ThreadPoolExecutor() as beside:
            first.up("--address=127.0.0.2")
            waits = beside.submit(standby.up, "--address=127.0.0.4")
            joined.up("--address=127.0.0.3", f"--join={url}")
            with Client(url, actor="test") as client:
                for number in (1, 2):
                    client.register("m", signed(number, tmp_path / f"{number}.onnx"))
                    client.validate("m", number)
                client.deploy("m", 1)
                with Load(joined, "m") as there:
                    first.kill()
                    until(lambda: there.sent > 500, 30, "load without a controller")
                    assert there.failures == []
                until(standby.answers, 60, "the takeover")
                waits.result()
                with Load(standby, "m") as here:
                    until(lambda: len(workers(client)) == 2, 90, "the node that joins again")
                    until(joined.answers, 30, "its edge")
                    # Neither worker has had this version: it comes from S3.
                    assert client.set_traffic("m", {2: 100})["confirmed"]
                assert here.failures == []
            body = {"inputs": [{"name": "x", "shape": [1, 4], "datatype": "FP32", "data": [1, 2, 3, 4]}]}
            answers = [node.post("/v2/models/m/infer", body) for node in (standby, joined)]
            assert [answer["model_version"] for answer in answers] == ["2", "2"]
    finally:
        with ThreadPoolExecutor() as beside:
            list(beside.map(Node.down, nodes))
        left = [command for node in nodes for command in node.left()]
        assert not left, f"left behind: {left}"
