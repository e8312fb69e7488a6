"""Runs a benchmark and keeps what it prints, as a page under `results`.

    python -m benchmarks.keep overload [--out benchmarks/results] [its own options ...]

Exits as the benchmark does.
"""

import argparse
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from benchmarks.load.machine import facts

RESULTS = Path(__file__).parent / "results"


def keep(module: str, arguments: Sequence[str], path: Path) -> int:
    """Run the module, print what it prints, and write that to `path` with the facts about the machine.

    Returns its exit status.
    """
    machine = facts()
    command = ["-m", module, *arguments]
    done = subprocess.run([sys.executable, *command], stdout=subprocess.PIPE, text=True, check=False)
    print(done.stdout, flush=True)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(page(" ".join(command), done.stdout, machine), encoding="utf-8")
    return done.returncode


def page(command: str, printed: str, machine: dict[str, object]) -> str:
    """What a benchmark printed, as a Markdown page."""
    where = f"{machine['processor']}, {machine['cores']} cores, Linux {machine['kernel']}"
    return "\n".join(
        [
            f"# `python {command}`",
            "",
            "```",
            printed.strip("\n"),
            "```",
            "",
            f"- {machine['date']}: {where}, load average before {machine['load_average_before']}",
            "",
        ]
    )


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("name", help="a module of `benchmarks` that prints its result")
    parser.add_argument("--out", type=Path, default=RESULTS)
    options, rest = parser.parse_known_args()
    return keep(f"benchmarks.{options.name}", rest, options.out / f"{options.name}.md")


if __name__ == "__main__":
    sys.exit(main())
