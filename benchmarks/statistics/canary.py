"""Simulates the sequential tests of a rollout: false alarms, and requests until a regression is found.

    python -m benchmarks.statistics.canary [--runs 2000] [--seed 1]

Median and 90th percentile are requests of both arms together, unless the heading says otherwise; a look
follows every event, or every few requests where the heading says so. Exits with 1 if a bar is missed.
"""

import argparse
import math
import sys
from collections.abc import Iterator

import numpy as np

from benchmarks.statistics.arrivals import Bools, Floats, bad_events, first, in_chunks
from benchmarks.statistics.table import Table
from lifecycle.core.analysis.bound import log_e_below
from lifecycle.core.analysis.outputs import log_e_differ
from lifecycle.core.analysis.ratio import log_e_exceeds, log_e_worse

LIMIT = math.log(20)  # alpha = 0.05
SHARES = (0.1, 0.5)
Pair = tuple[float, float]


def found_after(
    rng: np.random.Generator, runs: int, canary: float, baseline: float, share: float, requests: int
) -> Floats:
    """Requests until the canary's rate is shown to be higher; a look after every bad event."""

    def simulate(chunk: int) -> Floats:
        ours, theirs, at = bad_events(rng, chunk, canary, baseline, share, requests)
        log_e = log_e_worse(ours[..., None], theirs[..., None], share)
        return first((log_e >= LIMIT) & (at <= requests), at)

    return in_chunks(runs, simulate)


def naive_alarms(rng: np.random.Generator, runs: int, rate: float, share: float, looks: int) -> Floats:
    """When a z-test at 5 % every 1,000 requests first calls equal arms different."""
    per_look = rng.binomial(1000, share, (runs, looks))
    n, total = np.cumsum(per_look, axis=1), np.arange(1.0, looks + 1) * 1000
    ours = np.cumsum(rng.binomial(per_look, rate), axis=1)
    theirs = np.cumsum(rng.binomial(1000 - per_look, rate), axis=1)
    pooled = (ours + theirs) / total
    error = np.sqrt(np.maximum(pooled * (1 - pooled), 1e-12) * (1 / n + 1 / (total - n)))
    return first(np.abs(ours / n - theirs / (total - n)) / error > 1.959964, total)


def _counted(hits: Bools) -> Floats:
    """How many there were at every tenth request, [runs, looks, 1]."""
    by_look = hits.reshape(len(hits), -1, 10).sum(axis=2)
    return np.cumsum(by_look, axis=1, dtype=np.float64)[..., None]


def slow_after(
    rng: np.random.Generator, runs: int, factor: float, part: float, share: float, requests: int
) -> Floats:
    """Looks every 10 requests at exceedances of the champion's p50, p90, p95 and p99, e-values averaged."""
    # Logarithms of lognormal latencies in units of their spread, so a factor is an offset.
    quantiles = np.array([0.0, 1.2815516, 1.6448536, 2.3263479], np.float32)
    offset = np.float32(math.log(factor) / 0.5)

    def simulate(chunk: int) -> Floats:
        size = (chunk, requests)
        latency = rng.standard_normal(size, np.float32)
        ours = rng.random(size, np.float32) < share
        hit = ours if part == 1.0 else ours & (rng.random(size, np.float32) < part)
        latency += hit * offset
        total: Floats = np.full((chunk, requests // 10), -np.inf)
        for quantile, rate in zip(quantiles, (0.5, 0.1, 0.05, 0.01), strict=True):
            over = latency > quantile
            canary, baseline = ((_counted(over & arm), _counted(~over & arm)) for arm in (ours, ~ours))
            total = np.logaddexp(total, log_e_exceeds(canary, baseline, share, rate))
        return first(total - math.log(4) >= LIMIT, np.arange(10.0, requests + 1, 10))

    return in_chunks(runs, simulate)


def enough(bound: float, requests: int) -> Floats:
    """By number of bad events, the least requests with which the rate is shown to be under the bound."""
    bad = np.arange(int(requests * bound) + 1)
    low, high = bad.astype(np.float64), np.full(len(bad), 100.0 * requests)
    for _ in range(60):
        middle = (low + high) / 2
        shown = log_e_below(bad, middle, bound) >= LIMIT
        low, high = np.where(shown, low, middle), np.where(shown, middle, high)
    return np.asarray(np.ceil(high), np.float64)


def cleared_after(rng: np.random.Generator, runs: int, rate: float, bound: float, requests: int) -> Floats:
    """Canary requests until a rate is shown to be under the bound; a look after every request.

    Between two bad events evidence only grows, so the look that decides is known by their number.
    """
    needed = enough(bound, requests)
    if rate == 0:
        return np.full(runs, needed[0])
    at = np.cumsum(rng.geometric(rate, (runs, len(needed))), axis=1).astype(np.float64)
    since = np.concatenate([np.zeros((runs, 1)), at[:, :-1]], axis=1)
    return first((needed < at) & (needed <= requests), np.maximum(needed, since))


def differ_after(rng: np.random.Generator, runs: int, shift: Floats, share: float, requests: int) -> Floats:
    """Ten equal classes against shifted ones; a look every 25 requests."""
    looks, equal = requests // 25, np.full(10, 0.1)

    def simulate(chunk: int) -> Floats:
        n = rng.binomial(25, share, (chunk, looks))
        ours = np.cumsum(rng.multinomial(n, equal + shift), axis=1)
        theirs = np.cumsum(rng.multinomial(25 - n, equal), axis=1)
        return first(log_e_differ(ours, theirs, share) >= LIMIT, np.arange(25.0, requests + 1, 25))

    return in_chunks(runs, simulate)


def shifts() -> Iterator[tuple[str, Floats, int, tuple[Pair, Pair]]]:
    for points, requests, published in (
        (3, 60_000, ((17_075, 32_244), (6_700, 12_519))),
        (5, 25_000, ((6_625, 12_010), (2_450, 4_505))),
        (10, 8_000, ((1_950, 3_950), (850, 1_500))),
    ):
        one = np.full(10, -points / 900)
        one[0] = points / 100
        yield f"one class +{points} pt", one, requests, published
    for points, requests, published in (
        (2, 20_000, ((5_650, 9_115), (1_850, 3_300))),
        (4, 6_000, ((1_325, 2_254), (500, 850))),
    ):
        yield f"every class ±{points} pt", np.tile([points / 100, -points / 100], 5), requests, published


def nulls(table: Table, rng: np.random.Generator, runs: int) -> None:
    table.heading("Equal arms, 0.5 % errors, 100,000 requests: alarms, a look after every event")
    for share, ours, naive in ((0.1, "3.2-3.8 %", "34 %"), (0.5, "3.5-4.4 %", "31 %")):
        alarms = found_after(rng, runs, 0.005, 0.005, share, 100_000)
        table.rate(f"e-process, w = {share:.0%}", ours, alarms)
        alarms = naive_alarms(rng, runs, 0.005, share, 100)
        table.note(
            f"naive z-test every 1,000 requests, w = {share:.0%}", naive, f"{np.isfinite(alarms).mean():.0%}"
        )


def errors(table: Table, rng: np.random.Generator, runs: int) -> None:
    table.heading("Errors: requests until roll back, median / p90")
    for canary, baseline, requests, published in (
        (0.02, 0.005, 60_000, ((2_867, 7_548), (1_220, 2_784))),
        (0.01, 0.005, 250_000, ((19_954, 47_957), (7_033, 17_887))),
        (0.01, 0.001, 60_000, ((3_585, 7_496), (1_758, 3_142))),
    ):
        for share, bar in zip(SHARES, published, strict=True):
            times = found_after(rng, runs, canary, baseline, share, requests)
            table.median(f"{baseline:.1%} to {canary:.1%}, w = {share:.0%}", bar, times)


def latency(table: Table, rng: np.random.Generator, runs: int) -> None:
    table.heading("Latency: requests until roll back, median / p90 (a look every 10)")
    for case, factor, part, requests, published in (
        ("x 1.2", 1.2, 1.0, 15_000, ((1_409, 3_357), (609, 1_206))),
        ("x 1.1", 1.1, 1.0, 30_000, ((4_908, 13_894), (2_365, 5_818))),
        ("2 % of the canary x 5", 5.0, 0.02, 30_000, ((5_360, 13_456), (2_430, 5_319))),
    ):
        for share, bar in zip(SHARES, published, strict=True):
            # Half the traffic tells sooner.
            times = slow_after(rng, runs, factor, part, share, requests if share < 0.5 else requests // 2)
            table.median(f"{case}, w = {share:.0%}", bar, times)
    for share in SHARES:
        alarms = slow_after(rng, runs, 1.0, 1.0, share, 20_000)
        table.rate(f"equal arms, 20,000 requests, w = {share:.0%}", "1.8-4.3 %", alarms)


def bounds(table: Table, rng: np.random.Generator, runs: int) -> None:
    table.heading("Absolute bound: canary requests until cleared, median / p90")
    for bound, published in (
        (0.002, ((1_968,), (1_968, 4_499), (3_625, 7_049), (9_458, 22_836))),
        (0.005, ((786,), (786, 1_798), (1_448, 3_145), (3_780, 9_400))),
        (0.01, ((392,), (392, 897), (722, 1_570), (1_888, 4_683))),
        (0.02, ((195,), (195, 447), (403, 783), (863, 2_203))),
    ):
        for part, bar in zip((0.0, 0.1, 0.25, 0.5), published, strict=True):
            times = cleared_after(rng, runs, bound * part, bound, int(100 / bound))
            table.median(f"bound {bound:.1%}, rate {part:g} of it", bar, times)
    alarms = cleared_after(rng, runs, 0.01, 0.01, 20_000)
    table.rate("bound 1.0%, rate at it: wrongly cleared", "4.0-5.5 %", alarms)


def outputs(table: Table, rng: np.random.Generator, runs: int) -> None:
    table.heading("Outputs differ: requests until seen, median / p90 (a look every 25)")
    for case, shift, requests, published in shifts():
        for share, bar in zip(SHARES, published, strict=True):
            most = requests if share < 0.5 else requests // 2
            table.median(f"{case}, w = {share:.0%}", bar, differ_after(rng, runs, shift, share, most))
    for share in SHARES:
        alarms = differ_after(rng, runs, np.zeros(10), share, 20_000)
        table.rate(f"equal arms, 20,000 requests, w = {share:.0%}", "2-3 %", alarms)


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--runs", type=int, default=2000, help="runs per row")
    parser.add_argument("--seed", type=int, default=1)
    args = parser.parse_args()
    rng, table = np.random.default_rng(args.seed), Table()
    print(f"{args.runs} runs per row, alpha = 0.05; bars: rates <= 5 %, medians at most 10 % above")
    for part in (nulls, errors, latency, bounds, outputs):
        part(table, rng, args.runs)
    return table.end()


if __name__ == "__main__":
    sys.exit(main())
