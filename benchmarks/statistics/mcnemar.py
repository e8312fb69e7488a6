"""Simulates champion against challenger on the same labelled rows: false wins, and labels until a gain shows.

    python -m benchmarks.statistics.mcnemar [--runs 2000] [--seed 1]

The sequential McNemar test, looked at after every row where the two differ; beside it the gate's test with a
margin, looked at after every hundred labels. Exits with 1 if a bar is missed.
"""

import argparse
import math
import sys

import numpy as np

from benchmarks.statistics.arrivals import Floats, bad_events, first, in_chunks
from benchmarks.statistics.table import Table
from lifecycle.core.analysis.paired import log_e_better, log_e_no_worse_than, log_e_worse_than

LIMIT = math.log(20)  # alpha = 0.05
GATE_RUNS = 200
GATE_LABELS = 10_000
MARGIN = 0.005


def better_after(
    rng: np.random.Generator, runs: int, discordant: float, chance: float, labels: int
) -> Floats:
    """Labels until the challenger is shown to be right more often, where it is with this chance."""

    def simulate(chunk: int) -> Floats:
        share = 2 * discordant
        won, lost, at = bad_events(rng, chunk, share * chance, share * (1 - chance), 0.5, labels)
        return first((log_e_better(won, lost) >= LIMIT) & (at <= labels), at)

    return in_chunks(runs, simulate)


def shown_after(rng: np.random.Generator, runs: int, won: float, lost: float, *, worse: bool) -> Floats:
    """Labels until the gate calls a challenger worse, or no worse, than half a point below the champion."""
    test = log_e_worse_than if worse else log_e_no_worse_than
    times = np.full(runs, np.inf)
    for run in range(runs):
        gains = rng.choice([1.0, 0.0, -1.0], GATE_LABELS, p=[won, 1 - won - lost, lost])
        looks = range(100, GATE_LABELS + 1, 100)
        times[run] = next((n for n in looks if test(gains[:n], MARGIN) >= LIMIT), np.inf)
    return times


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--runs", type=int, default=2000, help="runs per row")
    parser.add_argument("--seed", type=int, default=1)
    args = parser.parse_args()
    rng, table = np.random.default_rng(args.seed), Table()

    table.heading("Sequential McNemar: labels until the challenger is shown to be better, median / p90")
    for case, discordant, chance, labels, published in (
        ("+2 pt at 6 % discordance (fixed n: 925)", 0.06, 2 / 3, 20_000, 872),
        ("+1 pt at 5 % discordance (fixed n: 3,089)", 0.05, 0.6, 40_000, 2_816),
    ):
        table.median(case, (published,), better_after(rng, args.runs, discordant, chance, labels))
    table.rate("equal, 50,000 labels: alarms", "4.3 %", better_after(rng, args.runs, 0.06, 0.5, 50_000))

    table.heading(f"The gate's test, margin {MARGIN}: {GATE_RUNS} runs of {GATE_LABELS:,} labels at most")
    at_margin = 0.03 - MARGIN
    for case, worse in (("half a point worse: called worse", True), ("the same: called no worse", False)):
        table.rate(case, "<= 5 %", shown_after(rng, GATE_RUNS, at_margin, 0.03, worse=worse))
    for case, won, lost, worse in (
        ("2 points worse, 6 % discordance: called worse", 0.02, 0.04, True),
        ("equal, 1 % discordance: called no worse", 0.005, 0.005, False),
    ):
        times = shown_after(rng, GATE_RUNS, won, lost, worse=worse)
        table.note(case, "-", f"{np.quantile(times, 0.5, method='lower'):,.0f} labels")
    return table.end()


if __name__ == "__main__":
    sys.exit(main())
