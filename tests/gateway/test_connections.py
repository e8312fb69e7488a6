"""Many idle clients, and too many, through the edge; and a worker that leaves it."""

import socket
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack

import pytest

from gateway.config import Limits
from tests.gateway.node import Node, config_of

ASK = b"GET /v2 HTTP/1.1\r\nhost: x\r\n\r\n"
MOST = 40
Open = Callable[[], socket.socket]


@pytest.fixture(scope="module")
def node(logistic: bytes, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Node]:
    config = config_of(tmp_path_factory.mktemp("home"), limits=Limits(max_connections=MOST))
    with Node(config, {"m": logistic}) as node:
        yield node


def status(client: socket.socket) -> int:
    client.sendall(ASK)
    return int(client.recv(65_536).split()[1])


def test_an_edge_that_is_full_says_so_and_serves_those_it_has(node: Node) -> None:
    with ExitStack() as stack:

        def connected() -> socket.socket:
            return stack.enter_context(socket.create_connection(("127.0.0.1", node.edge[0]), timeout=10))

        held = [connected() for _ in range(MOST)]
        assert {status(client) for client in held} == {200}
        late = [connected() for _ in range(5)]
        assert {status(client) for client in late} == {503}
        assert {status(client) for client in held} == {200}
        for client in (*late, held.pop()):
            client.close()
        refused = True
        while refused:  # HAProxy may not have seen yet that they left
            with socket.create_connection(("127.0.0.1", node.edge[0]), timeout=10) as again:
                refused = status(again) == 503


def test_a_worker_that_leaves_is_sent_nothing_more_and_answers_what_comes(node: Node) -> None:
    def asked(port: int) -> int:
        with socket.create_connection(("127.0.0.1", port), timeout=10) as client:
            return status(client)

    def seen_until(last: int) -> list[int]:
        """What the edge answers until HAProxy has checked the worker again."""
        seen: list[int] = []
        while last not in seen and len(seen) < 100:
            seen.append(asked(node.edge[0]))
            time.sleep(0.05)
        return seen

    assert seen_until(200)[-1] == 200
    node.worker.http.leave()
    try:
        seen = seen_until(503)
        assert seen[-1] == 503
        assert set(seen) <= {200, 503}
        assert asked(node.direct[0]) == 200
    finally:
        node.worker.http.leaving = False
    assert seen_until(200)[-1] == 200
