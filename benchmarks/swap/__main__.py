"""Swaps all traffic between two versions while HTTP and gRPC callers count every failure.

    python -m benchmarks.swap [--swaps 100] [--requests 1000000] [--share 0.5] [--out benchmarks/results]

A swap is over when every worker has confirmed the new table; the version that lost its traffic is unloaded,
so each swap loads one. The 99th percentile during the swaps stands beside that of the same load before them.
Exits 1 if any request failed, or if the percentile rose by more than a tenth.
"""

import argparse
import tempfile
import time
import urllib.request
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import grpc

from benchmarks.load import machine
from benchmarks.load.environments import TOOLS, require
from benchmarks.load.question import GRPC_METHOD, Question, make
from benchmarks.swap.load import Aim, Load, Seen, aims
from benchmarks.swap.report import page, passed, write
from benchmarks.up import Ports, up
from lifecycle.client import Client

MODEL = "logistic"
PROBE_REQUESTS = 4_000
BEFORE = 0.1
"""Requests before the swaps, as a share of those during them."""


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--swaps", type=int, default=100, help="at least so many")
    parser.add_argument("--requests", type=int, default=1_000_000, help="during the swaps, both protocols")
    parser.add_argument("--share", type=float, default=0.5, help="of the machine's capacity to ask for")
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
        measured = _measure(client, called, options.swaps, options.requests, options.share, folder)
    result = {"machine": facts, "load_share": options.share, **measured}
    write(options.out, result)
    print(page(result))
    return 0 if passed(result) else 1


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


def _measure(
    client: Client, called: Sequence[Aim], swaps: int, requests: int, share: float, folder: Path
) -> dict[str, Any]:
    capacity = sum(seen.per_second for seen in _together(called, PROBE_REQUESTS, 0.0, folder).values())
    each, rate = requests // len(called), share * capacity / len(called)
    print(f"capacity {capacity:,.0f} requests/s; asking for {rate * len(called):,.0f}", flush=True)
    before = _together(called, max(round(each * BEFORE), 1_000), rate, folder)
    loads = {aim.name: Load(aim, each, rate, folder) for aim in called}
    try:
        moves = _swap(client, loads, swaps, each / rate / swaps)
        during = {name: load.result() for name, load in loads.items()}
    finally:
        for load in loads.values():
            load.stop()
    return {"before": _plain(before), "during": _plain(during), "moves_s": moves}


def _together(called: Sequence[Aim], requests: int, rate: float, folder: Path) -> dict[str, Seen]:
    loads = {aim.name: Load(aim, requests, rate, folder) for aim in called}
    return {name: load.result() for name, load in loads.items()}


def _swap(client: Client, loads: Mapping[str, Load], swaps: int, every_s: float) -> list[float]:
    """Swap as long as every caller is at work. Raises RuntimeError if that was not long enough."""
    moves: list[float] = []
    started = time.perf_counter()
    while all(load.running for load in loads.values()):
        if time.perf_counter() - started < 0.9 * every_s * len(moves):
            time.sleep(0.01)
            continue
        began = time.perf_counter()
        change = client.set_traffic(MODEL, {1 + (len(moves) + 1) % 2: 100})
        if not change["confirmed"]:
            raise RuntimeError("not every worker confirmed a swap")
        moves.append(time.perf_counter() - began)
    if len(moves) < swaps:
        raise RuntimeError(f"only {len(moves)} of {swaps} swaps in that time; ask for more requests")
    return moves


def _plain(seen: Mapping[str, Seen]) -> dict[str, Any]:
    return {name: one.as_json() for name, one in seen.items()}


if __name__ == "__main__":
    raise SystemExit(main())
