"""Runs the simulations one after the other and keeps what they print, under `results/statistics`.

    python -m benchmarks.statistics [NAME ...] [--out benchmarks/results/statistics] [--seed 1 ...]

Without names, all of them; other options go to each. Exits with 1 if a bar is missed.
"""

import argparse
import subprocess
import sys
from pathlib import Path

from benchmarks.load.machine import facts

NAMES = ("canary", "guards", "drift", "known_drift", "performance", "mcnemar")


def page(command: str, printed: str, machine: dict[str, object]) -> str:
    """What one of them printed, as a Markdown page."""
    where = f"{machine['processor']}, {machine['cores']} cores, Linux {machine['kernel']}"
    return "\n".join(
        [
            f"# `python {command}`",
            "",
            "```",
            printed.strip("\n"),
            "```",
            "",
            f"- {machine['date']}: {where}",
            "",
        ]
    )


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("names", nargs="*", metavar="NAME", help=", ".join(NAMES))
    parser.add_argument("--out", type=Path, default=Path(__file__).parents[1] / "results" / "statistics")
    options, rest = parser.parse_known_args()
    options.out.mkdir(parents=True, exist_ok=True)
    missed = False
    for name in options.names or NAMES:
        command = ["-m", f"benchmarks.statistics.{name}", *rest]
        done = subprocess.run([sys.executable, *command], stdout=subprocess.PIPE, text=True, check=False)
        print(done.stdout, flush=True)
        missed |= done.returncode != 0
        (options.out / f"{name}.md").write_text(page(" ".join(command), done.stdout, facts()))
    return int(missed)


if __name__ == "__main__":
    sys.exit(main())
