"""Swaps all traffic between two versions while HTTP and gRPC callers count every failure.

    python -m benchmarks.swap [--swaps 100] [--requests 1000000] [--share 0.5] [--turns 10] [--out FOLDER]

A swap is over when every worker has confirmed the new table; the version that lost its traffic is unloaded,
so each swap loads one. Turns with and without swaps alternate under the same load, and each turn's 99th
percentile stands beside that of the turn before it. Exits 1 if any request failed, or if the median of these
ratios is above 1.1.
"""

import argparse
import math
import tempfile
import time
import urllib.request
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import grpc

from benchmarks.load import machine
from benchmarks.load.environments import TOOLS, require
from benchmarks.load.question import GRPC_METHOD, Question, make
from benchmarks.swap import report
from benchmarks.swap.load import Aim, Load, Seen, aims
from benchmarks.up import Ports, up
from lifecycle.client import Client

MODEL = "logistic"
PROBE_REQUESTS = 4_000


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--swaps", type=int, default=100, help="at least so many")
    parser.add_argument("--requests", type=int, default=1_000_000, help="during the swaps, both protocols")
    parser.add_argument("--share", type=float, default=0.5, help="of the machine's capacity to ask for")
    parser.add_argument("--turns", type=int, default=10, help="with and without swaps, each")
    parser.add_argument("--out", type=Path, default=Path(__file__).parents[1] / "results")
    options = parser.parse_args()
    require(TOOLS)
    facts = machine.facts()
    with tempfile.TemporaryDirectory(prefix="headrace-swap-") as name, ExitStack() as stack:
        folder = Path(name)
        question = make(MODEL, folder)
        ports = stack.enter_context(up(folder / "home"))
        client = stack.enter_context(Client(ports.admin_url))
        _prepare(question, client)
        called = aims(question, ports.http, ports.grpc, _answer_bytes(question, ports), folder)
        bench = Bench(client, called, folder)
        measured = bench.measure(options.swaps, options.requests, options.share, options.turns)
    result = {"machine": facts, "load_share": options.share, **measured}
    report.write(options.out, result)
    print(report.page(result))
    return 0 if report.passed(result) else 1


def _prepare(question: Question, client: Client) -> None:
    for number in (1, 2):
        client.register(MODEL, question.artifact, number=number)
        client.validate(MODEL, number)
    client.set_traffic(MODEL, {1: 100})


def _answer_bytes(question: Question, ports: Ports) -> int:
    """The length of one right gRPC answer; an HTTP answer and this one are checked to be right."""
    url = f"http://127.0.0.1:{ports.http}{question.path}"
    with urllib.request.urlopen(url, question.ask("json")[0], timeout=10) as answer:
        question.check("json", answer.read(), {})
    with grpc.insecure_channel(f"127.0.0.1:{ports.grpc}") as channel:
        call = channel.unary_unary(GRPC_METHOD, request_serializer=bytes, response_deserializer=bytes)
        message: bytes = call(question.ask("grpc")[0], timeout=10, wait_for_ready=True)
    question.check("grpc", message, {})
    return len(message)


@dataclass(frozen=True)
class Bench:
    """A cluster with two versions, and who calls it."""

    client: Client
    called: Sequence[Aim]
    folder: Path

    def measure(self, swaps: int, requests: int, share: float, turns: int) -> dict[str, Any]:
        capacity = sum(seen.per_second for seen in self._calm(PROBE_REQUESTS, 0.0).values())
        each, rate = requests // len(self.called) // turns, share * capacity / len(self.called)
        print(f"capacity {capacity:,.0f} requests/s; asking for {rate * len(self.called):,.0f}", flush=True)
        self._calm(each, rate)  # warms
        calm, swapping, moves = [], [], []
        for turn in range(1, turns + 1):
            calm.append(_plain(self._calm(each, rate)))
            seen, took = self._swapping(each, rate, math.ceil(swaps / turns))
            swapping.append(_plain(seen))
            moves += took
            print(f"turn {turn} of {turns}: {report.told(calm[-1], swapping[-1])}", flush=True)
        return {"calm": calm, "swapping": swapping, "moves_s": moves}

    def _calm(self, requests: int, rate: float) -> dict[str, Seen]:
        loads = {aim.name: Load(aim, requests, rate, self.folder) for aim in self.called}
        return {name: load.result() for name, load in loads.items()}

    def _swapping(self, requests: int, rate: float, swaps: int) -> tuple[dict[str, Seen], list[float]]:
        loads = {aim.name: Load(aim, requests, rate, self.folder) for aim in self.called}
        try:
            moves = self._swap(loads, swaps, requests / rate / swaps)
            return {name: load.result() for name, load in loads.items()}, moves
        finally:
            for load in loads.values():
                load.stop()

    def _swap(self, loads: Mapping[str, Load], swaps: int, every_s: float) -> list[float]:
        """Swap as long as every caller is at work. Raises RuntimeError if that was not long enough."""
        moves: list[float] = []
        champion = self.client.model(MODEL)["champion"]
        started = time.perf_counter()
        while all(load.running for load in loads.values()):
            if time.perf_counter() - started < 0.9 * every_s * len(moves):
                time.sleep(0.01)
                continue
            began, champion = time.perf_counter(), 3 - champion
            if not self.client.set_traffic(MODEL, {champion: 100})["confirmed"]:
                raise RuntimeError("not every worker confirmed a swap")
            moves.append(time.perf_counter() - began)
        if len(moves) < swaps:
            raise RuntimeError(f"only {len(moves)} of {swaps} swaps in that time; ask for more requests")
        return moves


def _plain(seen: Mapping[str, Seen]) -> dict[str, Any]:
    return {name: one.as_json() for name, one in seen.items()}


if __name__ == "__main__":
    raise SystemExit(main())
