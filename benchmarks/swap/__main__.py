"""Moves all traffic back and forth between two versions, on a Headrace of its own, and times each move.

    python -m benchmarks.swap [--moves 20]

A move is over when the command returns: every worker has then confirmed the new table. The next answers are
checked to be the new version's.
"""

import argparse
import http.client
import json
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from benchmarks.load.processes import free_port
from benchmarks.load.question import MODEL, Question, ask
from lifecycle.client import Client

CHECKED = 200


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--moves", type=int, default=20)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="headrace-swap-") as folder:
        home = Path(folder)
        question = ask(home)
        ports = [free_port() for _ in range(3)]
        headrace(home, "up", "--detach", *_port_flags(ports))
        try:
            client = Client(f"http://127.0.0.1:{ports[2]}")
            _prepare(question, client)
            _measure(question, client, ports[0], options.moves)
        finally:
            headrace(home, "down")


def _port_flags(ports: list[int]) -> list[str]:
    names = ("--http-port", "--grpc-port", "--admin-port")
    return [f"{name}={port}" for name, port in zip(names, ports, strict=True)]


def headrace(home: Path, *words: str) -> None:
    subprocess.run([sys.executable, "-m", "lifecycle.cli", *words, "--home", str(home)], check=True)


def _prepare(question: Question, client: Client) -> None:
    for number in (1, 2):
        client.register(MODEL, question.artifact, number=number)
        client.validate(MODEL, number)
    client.set_traffic(MODEL, {1: 100})


def _measure(question: Question, client: Client, port: int, moves: int) -> None:
    took = {"traffic set": list[float](), "rollback": list[float]()}
    for _ in range(moves):
        took["traffic set"].append(_timed(lambda: client.set_traffic(MODEL, {2: 100})))
        _check(question, port, 2)
        took["rollback"].append(_timed(lambda: client.rollback(MODEL)))
        _check(question, port, 1)
    for what, seconds in took.items():
        middle, worst = statistics.median(seconds), max(seconds)
        print(f"{what:12} {moves} moves: median {middle * 1e3:.0f} ms, longest {worst * 1e3:.0f} ms")


def _timed(act: Callable[[], object]) -> float:
    started = time.perf_counter()
    act()
    return time.perf_counter() - started


def _check(question: Question, port: int, version: int) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    for _ in range(CHECKED):
        connection.request("POST", f"/v2/models/{MODEL}/infer", question.json_body)
        answer = json.loads(connection.getresponse().read())
        assert answer["model_version"] == str(version), answer
    connection.close()


if __name__ == "__main__":
    main()
