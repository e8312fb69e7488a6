"""`python -m benchmarks.load`: measures the systems in turns, prints the tables and writes the results.

Systems that cannot be installed or started are reported as such, and the others are measured.
"""

import argparse
import signal
import sys
import tempfile
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

from benchmarks.load import machine, report
from benchmarks.load.cases import CASES
from benchmarks.load.environments import ROOT, TOOLS, require, versions
from benchmarks.load.peers import SYSTEMS
from benchmarks.load.processes import interrupt
from benchmarks.load.question import make
from benchmarks.load.report import Result
from benchmarks.load.turns import START, Turn, take

RESULTS = ROOT / "benchmarks" / "results"


def main() -> None:
    options = _options()
    signal.signal(signal.SIGTERM, interrupt)
    try:
        require(TOOLS)
        missing, packages = install(options.systems)
        if options.install:
            sys.exit(bool(missing))
        facts = {**machine.facts(), "packages": packages}
        turns = measure([name for name in options.systems if name not in missing], options)
        turns |= {name: [Turn(failures={START: reason})] for name, reason in missing.items()}
        result = Result(facts, options.seconds, {name: turns[name] for name in options.systems})
        report.write(options.results, result)
        print("\n" + report.page(result))
    except KeyboardInterrupt:
        sys.exit("interrupted: all that was started has ended, and nothing is written")


def install(names: Iterable[str]) -> tuple[dict[str, str], dict[str, dict[str, str]]]:
    """Make each system's environment. Returns why some could not be, and the versions in the others."""
    missing, packages = {}, {}
    for name in names:
        try:
            packages[name] = versions(SYSTEMS[name].interpreter)
        except RuntimeError as failure:
            missing[name] = str(failure)
        print(f"{name}: {missing.get(name, 'installed')}", flush=True)
    return missing, packages


def measure(names: Sequence[str], options: argparse.Namespace) -> dict[str, list[Turn]]:
    """Every system's turns, in an order that alternates, so that a machine that slows down favours nobody."""
    turns: dict[str, list[Turn]] = {name: [] for name in names}
    with tempfile.TemporaryDirectory(prefix="hb-", ignore_cleanup_errors=True) as scratch:
        asked = Path(scratch, "models")
        asked.mkdir()
        models = {CASES[name].model for name in options.cases}
        questions = {model: make(model, asked) for model in sorted(models)}
        for number in range(options.repeat):
            for index, name in enumerate(names if number % 2 == 0 else reversed(names)):
                folder = Path(scratch, f"{number}-{index}")  # short: paths of sockets are limited
                folder.mkdir()
                turn = take(name, options.cases, questions, options.seconds, folder)
                turns[name].append(turn)
                print(f"turn {number + 1}: {name}: {report.told(turn)}", flush=True)
    return turns


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.load", description=__doc__)
    peers = [name for name in SYSTEMS if name != "headrace"]
    parser.add_argument("--peers", type=_names(peers), default=peers, help=f"of {', '.join(peers)}")
    parser.add_argument("--only-peers", action="store_true", help="leave Headrace out")
    parser.add_argument("--cases", type=_names(CASES), default=[*CASES], help=f"of {', '.join(CASES)}")
    parser.add_argument("--seconds", type=int, default=5, help="length of one measurement")
    parser.add_argument("--repeat", type=int, default=3, help="turns of each system")
    parser.add_argument(
        "--results", type=Path, default=RESULTS, help="folder for throughput.json, .md and .svg"
    )
    parser.add_argument("--install", action="store_true", help="only make the environments of the peers")
    options = parser.parse_args()
    options.systems = options.peers if options.only_peers else ["headrace", *options.peers]
    return options


def _names(known: Iterable[str]) -> Callable[[str], list[str]]:
    allowed = list(known)

    def names(text: str) -> list[str]:
        chosen = [name for name in text.split(",") if name]
        if unknown := set(chosen) - set(allowed):
            raise argparse.ArgumentTypeError(f"{', '.join(sorted(unknown))}: not of {', '.join(allowed)}")
        return chosen

    return names


if __name__ == "__main__":
    main()
