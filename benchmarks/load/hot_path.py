"""`python -m benchmarks.load.hot_path`: microseconds of processor time per request, by process and thread."""

import argparse
import resource
import signal
import tempfile
from collections.abc import Mapping
from pathlib import Path

from benchmarks.load.cases import CASES
from benchmarks.load.cpu import Use, look, used
from benchmarks.load.environments import TOOLS, require
from benchmarks.load.peers import SYSTEMS
from benchmarks.load.processes import bearers, interrupt
from benchmarks.load.question import make
from benchmarks.load.turns import WARM_UP_S, prepare

GENERATOR = ("load generator", "all")
LEAST_US = 0.5


def table(uses: Mapping[tuple[str, str], Use], requests: float) -> str:
    """A Markdown table, the costliest thread first. Threads below LEAST_US are one row."""
    rows = {name: use.over(requests * 1000) for name, use in uses.items()}
    shown = {name: use for name, use in rows.items() if use.total >= LEAST_US}
    rest = sum((use for name, use in rows.items() if name not in shown), Use())
    lines = [
        "| process | thread | CPU (µs) | user | system | waiting for a core | sleeps |",
        "|---|---|--:|--:|--:|--:|--:|",
        *(_row(*name, use) for name, use in sorted(shown.items(), key=lambda item: -item[1].total)),
        _row("all others", "", rest),
        _row("together", "", sum(rows.values(), Use())),
    ]
    return "\n".join(lines)


def _row(process: str, thread: str, use: Use) -> str:
    times = f"{use.total:.1f} | {use.user:.1f} | {use.system:.1f} | {use.waiting:.1f}"
    return f"| {process} | {thread} | {times} | {use.sleeps * 1000:.2f} |"


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.load.hot_path", description=__doc__)
    parser.add_argument("--case", default="json", choices=CASES)
    parser.add_argument("--system", default="headrace", choices=SYSTEMS)
    parser.add_argument("--seconds", type=int, default=5)
    options = parser.parse_args()
    signal.signal(signal.SIGTERM, interrupt)
    require(TOOLS)
    with tempfile.TemporaryDirectory(prefix="hb-", ignore_cleanup_errors=True) as scratch:
        folder = Path(scratch, "t")
        folder.mkdir()
        models = Path(scratch, "models")
        models.mkdir()
        question = make(CASES[options.case].model, models)
        with SYSTEMS[options.system].start([question], folder) as system:
            run = prepare(options.case, question, system, folder)
            run(WARM_UP_S)
            processes = [process.pid for process in bearers(system.mark)]
            own = resource.getrusage(resource.RUSAGE_CHILDREN)
            before = look(processes)
            sample = run(options.seconds)
            after = look(processes)
            done = resource.getrusage(resource.RUSAGE_CHILDREN)
    uses = used(before, after)
    uses[GENERATOR] = Use(
        user=(done.ru_utime - own.ru_utime) * 1e9,
        system=(done.ru_stime - own.ru_stime) * 1e9,
        sleeps=done.ru_nvcsw - own.ru_nvcsw,
    )
    print(f"{options.system}, {options.case}: {sample.per_second:,.0f} requests/s; per request:\n")
    print(table(uses, sample.requests))


if __name__ == "__main__":
    main()
