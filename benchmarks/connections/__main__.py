"""Holds thousands of idle connections beside steady traffic, and compares the traffic's 99th percentile.

    python -m benchmarks.connections [--idle 10000] [--rate 2000] [--seconds 8] [--turns 5] [--out FOLDER]

Turns with and without the idle connections alternate. Every idle connection is asked before and after its
turn. Exits 1 if one was lost, a request failed, or the median of the percentiles rose by more than a fifth.
"""

import argparse
import json
import resource
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

from benchmarks.load import machine
from benchmarks.load.environments import TOOLS, require
from benchmarks.load.question import make
from benchmarks.swap.load import Aim, Load, Seen, aims
from benchmarks.up import up
from lifecycle.client import Client

MODEL = "logistic"
MOST_RATIO = 1.2
FILES_EACH, FILES_BESIDE = 1.5, 500
"""What the edge opens: for every second connection one to a worker, and some of its own."""
NAME = "connections"


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--idle", type=int, default=10_000, help="connections held")
    parser.add_argument("--rate", type=int, default=2_000, help="requests per second beside them")
    parser.add_argument("--seconds", type=int, default=8, help="of a turn; an idle minute ends a connection")
    parser.add_argument("--turns", type=int, default=5, help="with and without, each")
    parser.add_argument("--out", type=Path, default=Path(__file__).parents[1] / "results")
    options = parser.parse_args()
    require(TOOLS)
    if (files := resource.getrlimit(resource.RLIMIT_NOFILE)[1]) < FILES_EACH * options.idle + FILES_BESIDE:
        parser.error(f"a process may open {files} files here, too few: raise `ulimit -Hn` or lower --idle")
    facts = machine.facts()
    with tempfile.TemporaryDirectory(prefix="headrace-connections-") as name, ExitStack() as stack:
        folder = Path(name)
        question = make(MODEL, folder)
        ports = stack.enter_context(up(folder / "home"))
        with Client(ports.admin_url) as client:
            client.register(MODEL, question.artifact)
            client.validate(MODEL, 1)
            client.set_traffic(MODEL, {1: 100})
        aim, _ = aims(question, ports.http, ports.grpc, 0, folder)
        requests = options.rate * options.seconds
        _turn(aim, requests, options.rate, folder)  # warms
        alone, beside, held = [], [], []
        for turn in range(1, options.turns + 1):
            print(f"turn {turn} of {options.turns}", flush=True)
            alone.append(_turn(aim, requests, options.rate, folder))
            with idle(ports.http, options.idle) as ask:
                beside.append(_turn(aim, requests, options.rate, folder))
                held.append(ask())
    result = summary(options.idle, options.rate, alone, beside, held)
    options.out.mkdir(parents=True, exist_ok=True)
    (options.out / f"{NAME}.json").write_text(json.dumps({"machine": facts, **result}, indent=2) + "\n")
    print(page(result))
    return 0 if result["passed"] else 1


@contextmanager
def idle(port: int, count: int) -> Iterator["Asker"]:
    """Connections in another process; calling what is given asks on all of them."""
    command = [sys.executable, "-m", "benchmarks.connections.holder", str(port), str(count)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        asker = Asker(process)
        try:
            if (opened := asker.read()) != count:
                raise RuntimeError(f"{opened} of {count} idle connections were answered")
            yield asker
        finally:
            process.kill()


class Asker:
    def __init__(self, process: "subprocess.Popen[str]") -> None:
        self._process = process

    def __call__(self) -> int:
        assert self._process.stdin is not None
        self._process.stdin.write("\n")
        self._process.stdin.flush()
        return self.read()

    def read(self) -> int:
        assert self._process.stdout is not None
        return int(self._process.stdout.readline() or 0)


def _turn(aim: Aim, requests: int, rate: float, folder: Path) -> Seen:
    return Load(aim, requests, rate, folder).result()


def summary(
    count: int, rate: float, alone: list[Seen], beside: list[Seen], held: list[int]
) -> dict[str, Any]:
    """Medians over the turns, and whether they keep the promise."""
    before, during = (statistics.median(seen.p99_ms for seen in turns) for turns in (alone, beside))
    failed = sum(seen.failed for seen in (*alone, *beside))
    ratio = during / before
    return {
        "idle": count,
        "held": min(held),
        "rate": rate,
        "failed": failed,
        "p99_ms_alone": before,
        "p99_ms_beside": during,
        "ratio": ratio,
        "passed": min(held) == count and not failed and ratio <= MOST_RATIO,
        "turns": {"alone": [s.as_json() for s in alone], "beside": [s.as_json() for s in beside]},
    }


def page(result: dict[str, Any]) -> str:
    return (
        f"{result['held']:,} of {result['idle']:,} idle connections held; "
        f"{result['failed']} requests failed\n"
        f"p99 at {result['rate']:,} requests/s: {result['p99_ms_alone']:.2f} ms alone, "
        f"{result['p99_ms_beside']:.2f} ms beside them: ×{result['ratio']:.2f} (at most ×{MOST_RATIO})"
    )


if __name__ == "__main__":
    sys.exit(main())
