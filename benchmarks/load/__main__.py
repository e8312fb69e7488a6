"""`python -m benchmarks.load`: measures the systems in turns, prints the table and writes the results."""

import argparse
import tempfile
from pathlib import Path

from benchmarks.load import report
from benchmarks.load.generators import Sample, grpc_load, http_load, require_tools
from benchmarks.load.question import Question, ask
from benchmarks.load.report import Turn
from benchmarks.load.systems import SYSTEMS, Running

RESULTS = Path(__file__).resolve().parents[1] / "results"
WARM_UP_S = 2
CONNECTIONS = 32


def measure(system: Running, question: Question, seconds: int, folder: Path) -> Turn:
    """Warm up, then HTTP with 32 connections, HTTP with one, and gRPC with 32 streams: those it speaks."""

    def http(connections: int, duration: int) -> Sample | None:
        if system.http_url is None:
            return None
        return http_load(system.http_url, question, connections, duration, system.headers, folder)

    http(CONNECTIONS, WARM_UP_S)
    many, alone = http(CONNECTIONS, seconds), http(1, max(seconds // 2, 1))
    if system.grpc_port is None:
        return Turn(many, alone, None)
    grpc_load(system.grpc_port, question, WARM_UP_S, folder)
    return Turn(many, alone, grpc_load(system.grpc_port, question, seconds, folder))


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.load", description=__doc__)
    parser.add_argument("--seconds", type=int, default=8, help="length of one measurement")
    parser.add_argument("--repeat", type=int, default=3, help="turns per system")
    parser.add_argument("--peers", default="fastapi,grpcaio,rayserve", help="systems beside Headrace")
    parser.add_argument("--only-peers", action="store_true", help="leave Headrace out")
    parser.add_argument("--results", type=Path, default=RESULTS, help="folder for throughput.json and .md")
    options = parser.parse_args()
    peers = [name for name in options.peers.split(",") if name]
    names = peers if options.only_peers else ["headrace", *peers]
    if unknown := set(names) - set(SYSTEMS):
        parser.error(f"unknown system {', '.join(sorted(unknown))}; known: {', '.join(SYSTEMS)}")

    require_tools()
    facts = report.machine()
    turns: dict[str, list[Turn]] = {name: [] for name in names}
    with tempfile.TemporaryDirectory(prefix="bench-") as scratch:
        folder = Path(scratch)
        question = ask(folder)
        for turn in range(options.repeat):
            for name in names if turn % 2 == 0 else reversed(names):
                home = folder / f"{name}-{turn}"
                home.mkdir()
                with SYSTEMS[name](question, home) as system:
                    done = measure(system, question, options.seconds, home)
                turns[name].append(done)
                rates = {"HTTP": done.http, "gRPC": done.grpc}
                told = ", ".join(f"{what} {seen.per_second:,.0f}/s" for what, seen in rates.items() if seen)
                print(f"turn {turn + 1}: {name}: {told}", flush=True)

    result = report.summarise(facts, options.seconds, turns)
    report.write(options.results, result)
    print("\n" + report.table(result))


if __name__ == "__main__":
    main()
