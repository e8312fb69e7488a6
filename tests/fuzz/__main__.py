"""Coverage-guided fuzzing of every way in: python -m tests.fuzz [TARGET ...] [--minutes 1]

Each target runs in a process of its own for its share of the time, from the seeds and from what earlier runs
kept in `.fuzz/`. An input that breaks a rule ends the run, and lies in `tests/fuzz/found/TARGET/` then.
"""

import argparse
import re
import subprocess
import sys

from tests.fuzz.seeds import FOUND
from tests.fuzz.targets import TARGETS

_RUNS = re.compile(r"number_of_executed_units:\s*(\d+)")
_PEAK = re.compile(r"peak_rss_mb:\s*(\d+)")


def main() -> None:
    """Run the targets one after the other; exits 1 if one found something."""
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz", description=__doc__)
    parser.add_argument(
        "targets", nargs="*", choices=[*TARGETS, []], metavar="TARGET", help=", ".join(TARGETS)
    )
    parser.add_argument("--minutes", type=float, default=1.0, help="of all targets together")
    options = parser.parse_args()
    targets = options.targets or list(TARGETS)
    seconds = max(1, round(options.minutes * 60 / len(targets)))
    broken = [target for target in targets if not _sound(target, seconds)]
    if broken:
        sys.exit(f"broken: {', '.join(broken)}; the inputs are in {FOUND}")


def _sound(target: str, seconds: int) -> bool:
    command = [sys.executable, "-m", "tests.fuzz.guided", target, str(seconds)]
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False)
    text = done.stdout.decode(errors="replace")
    if done.returncode:
        print(text[-4000:])
    runs, peak = (match[1] if (match := stat.search(text)) else "?" for stat in (_RUNS, _PEAK))
    print(f"{target:12} {runs:>9} runs, at most {peak} MB", flush=True)
    return done.returncode == 0


if __name__ == "__main__":
    main()
