"""Runs the simulations one after the other and keeps what they print, under `results/statistics`.

    python -m benchmarks.statistics [NAME ...] [--out benchmarks/results/statistics] [--seed 1 ...]

Without names, all of them; other options go to each. Exits with 1 if a bar is missed.
"""

import argparse
import sys
from pathlib import Path

from benchmarks.keep import RESULTS, keep

NAMES = ("canary", "guards", "drift", "known_drift", "performance", "mcnemar", "streams")


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("names", nargs="*", metavar="NAME", help=", ".join(NAMES))
    parser.add_argument("--out", type=Path, default=RESULTS / "statistics")
    options, rest = parser.parse_known_args()
    names = options.names or NAMES
    # Not a generator: all of them run, whatever the first says.
    missed = [keep(f"benchmarks.statistics.{name}", rest, options.out / f"{name}.md") for name in names]
    return int(any(missed))


if __name__ == "__main__":
    sys.exit(main())
