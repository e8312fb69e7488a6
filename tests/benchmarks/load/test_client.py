"""The first answer is waited for, and a server that refuses or dies is told from one that is slow."""

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from benchmarks.load import client
from benchmarks.load.cases import CASES
from benchmarks.load.client import first_answer
from benchmarks.load.question import Question, make
from benchmarks.peers.inference import Inference


class Peer(BaseHTTPRequestHandler):
    """Refuses what `refusals` says is left of it, then answers."""

    inference: Inference
    refusals = 0

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["content-length"]))
        if type(self).refusals:
            type(self).refusals -= 1
            self.send_error(400, "not ready yet")
            return
        answer = self.inference.json(body)
        self.send_response(200)
        self.send_header("content-length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)

    def log_message(self, format: str, *args: object) -> None:
        """Says nothing."""


@pytest.fixture(scope="module")
def question(tmp_path_factory: pytest.TempPathFactory) -> Question:
    return make("logistic", tmp_path_factory.mktemp("models"))


@pytest.fixture
def port(question: Question, monkeypatch: pytest.MonkeyPatch) -> Iterator[int]:
    monkeypatch.setenv("BENCH_MODELS", str(Path(question.artifact).parent))
    monkeypatch.setattr(client, "PAUSE_S", 0.01)
    Peer.inference, Peer.refusals = Inference("logistic"), 0
    server = ThreadingHTTPServer(("127.0.0.1", 0), Peer)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield server.server_port
    server.shutdown()
    server.server_close()
    thread.join()


def test_a_model_that_still_loads_is_waited_for(question: Question, port: int) -> None:
    Peer.refusals = 3
    answer = first_answer(CASES["json"], question, port, {}, lambda: True)
    assert b"probabilities" in answer
    assert Peer.refusals == 0


def test_one_that_keeps_refusing_is_quoted(question: Question, port: int) -> None:
    Peer.refusals = client.REFUSALS
    with pytest.raises(RuntimeError, match=r"status 400: .*not ready yet"):
        first_answer(CASES["json"], question, port, {}, lambda: True)


@pytest.mark.parametrize("case", ["json", "grpc"])
def test_one_that_ended_is_not_waited_for(case: str, question: Question) -> None:
    with pytest.raises(RuntimeError, match="it ended while it started"):
        first_answer(CASES[case], question, 1, {}, lambda: False)
