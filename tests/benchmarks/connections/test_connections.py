"""The promise is kept only if every connection stayed, nothing failed and traffic did not slow down."""

import socketserver
import threading
from collections.abc import Iterator

import pytest

from benchmarks.connections.__main__ import idle, page, summary
from benchmarks.swap.load import Seen


def seen(p99_ms: float, failed: int = 0) -> Seen:
    return Seen(100, failed, 50.0, 1.0, p99_ms)


@pytest.mark.parametrize(
    ("beside", "held", "passed"),
    [
        ([seen(2.0), seen(9.0), seen(2.3)], [10, 10, 10], True),
        ([seen(2.0), seen(2.5), seen(2.5)], [10, 10, 10], False),
        ([seen(2.0)] * 3, [10, 9, 10], False),
        ([seen(2.0), seen(2.0, failed=1), seen(2.0)], [10, 10, 10], False),
    ],
)
def test_medians_of_turns_are_compared(beside: list[Seen], held: list[int], passed: bool) -> None:
    result = summary(10, 100, [seen(2.0)] * 3, beside, held)
    assert result["passed"] is passed
    assert f"{min(held)} of 10 idle connections held" in page(result)


class Answering(socketserver.BaseRequestHandler):
    def handle(self) -> None:
        while self.request.recv(1024):
            self.request.sendall(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n")


class Server(socketserver.ThreadingTCPServer):
    daemon_threads = True


@pytest.fixture
def port() -> Iterator[int]:
    with Server(("127.0.0.1", 0), Answering) as server:
        threading.Thread(target=server.serve_forever).start()
        yield int(server.server_address[1])
        server.shutdown()


def test_connections_are_held_in_another_process_and_asked_again(port: int) -> None:
    with idle(port, 20) as ask:
        assert [ask(), ask()] == [20, 20]
