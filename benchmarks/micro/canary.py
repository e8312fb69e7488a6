"""Simulates the sequential tests of a rollout: false alarms, and requests until a regression is found.

    python -m benchmarks.micro.canary [--runs 2000] [--seed 1]

Each row stands beside its target. Median and 90th percentile are requests of both arms together, unless
the heading says otherwise; a look follows every event, or every few requests where the heading says so.
"""

import argparse
import math
from collections.abc import Callable, Iterator

import numpy as np
from numpy.typing import NDArray

from lifecycle.core.analysis.bound import log_e_below
from lifecycle.core.analysis.outputs import log_e_differ
from lifecycle.core.analysis.paired import log_e_better
from lifecycle.core.analysis.ratio import log_e_worse

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]
LIMIT = math.log(20)  # alpha = 0.05
SHARES = (0.1, 0.5)
CHUNK = 25  # runs simulated at once; bounds the memory


def show(case: str, target: str, measured: str) -> None:
    print(f"  {case:<46}{target:>22}{measured:>32}", flush=True)


def heading(title: str) -> None:
    print(f"\n{title}\n  {'':<46}{'target':>22}{'measured':>32}")


def first(crossed: Bools, at: Floats) -> Floats:
    """When each run first crossed, [runs]; infinity if it never did. `at` broadcasts to `crossed`."""
    return np.asarray(np.where(crossed, at, np.inf).min(axis=1), np.float64)


def spread(times: Floats) -> str:
    """Median and 90th percentile, and how many runs never ended if any did not."""
    median, high = np.quantile(times, (0.5, 0.9), method="lower")
    missed = np.isinf(times).mean()
    return f"{median:,.0f} / {high:,.0f}" + (f" ({1 - missed:.1%} found)" if missed else "")


def in_chunks(runs: int, simulate: Callable[[int], Floats]) -> Floats:
    return np.concatenate([simulate(min(CHUNK, runs - done)) for done in range(0, runs, CHUNK)])


def bad_events(
    rng: np.random.Generator, runs: int, canary: float, baseline: float, share: float, requests: int
) -> tuple[Floats, Floats, Floats]:
    """Bad events one by one: the canary's and the baseline's so far, and the request that each fell on."""
    rate = share * canary + (1 - share) * baseline
    events = int(requests * rate + 6 * math.sqrt(requests * rate)) + 10
    at = np.cumsum(rng.geometric(rate, (runs, events)), axis=1)
    ours = np.cumsum(rng.random((runs, events)) < share * canary / rate, axis=1)
    return ours.astype(np.float64), np.arange(1.0, events + 1) - ours, at.astype(np.float64)


def found_after(
    rng: np.random.Generator, runs: int, canary: float, baseline: float, share: float, requests: int
) -> Floats:
    def simulate(chunk: int) -> Floats:
        ours, theirs, at = bad_events(rng, chunk, canary, baseline, share, requests)
        log_e = log_e_worse(ours[..., None], theirs[..., None], share)
        return first((log_e >= LIMIT) & (at <= requests), at)

    return in_chunks(runs, simulate)


def naive_alarms(rng: np.random.Generator, runs: int, rate: float, share: float, looks: int) -> float:
    """How often a z-test at 5 % every 1,000 requests ever calls equal arms different."""
    n = np.cumsum(rng.binomial(1000, share, (runs, looks)), axis=1)
    total = np.arange(1, looks + 1) * 1000
    ours = np.cumsum(rng.binomial(np.diff(n, axis=1, prepend=0), rate), axis=1)
    theirs = np.cumsum(rng.binomial(1000 - np.diff(n, axis=1, prepend=0), rate), axis=1)
    pooled = (ours + theirs) / total
    error = np.sqrt(np.maximum(pooled * (1 - pooled), 1e-12) * (1 / n + 1 / (total - n)))
    return float((np.abs(ours / n - theirs / (total - n)) / error > 1.959964).any(axis=1).mean())


def slow_after(
    rng: np.random.Generator, runs: int, factor: float, part: float, share: float, requests: int
) -> Floats:
    """Looks every 10 requests at exceedances of the champion's p50, p90, p95 and p99, e-values averaged."""
    quantiles = np.exp(0.5 * np.array([0.0, 1.2815516, 1.6448536, 2.3263479]))

    def simulate(chunk: int) -> Floats:
        size = (chunk, requests)
        latency = np.exp(0.5 * rng.standard_normal(size))
        ours = rng.random(size) < share
        latency *= np.where(ours & (rng.random(size) < part), factor, 1.0)
        total: Floats = np.full((chunk, requests // 10), -np.inf)
        for quantile in quantiles:
            over = latency > quantile
            counts = [np.cumsum(over & arm, axis=1)[:, 9::10, None] for arm in (ours, ~ours)]
            total = np.logaddexp(total, log_e_worse(counts[0], counts[1], share))
        return first(total - math.log(4) >= LIMIT, np.arange(10.0, requests + 1, 10))

    return in_chunks(runs, simulate)


def cleared_after(rng: np.random.Generator, runs: int, rate: float, bound: float, requests: int) -> Floats:
    """Canary requests until a rate is shown to be under the bound; a look after every request."""

    def simulate(chunk: int) -> Floats:
        bad = np.cumsum(rng.random((chunk, requests), np.float32) < rate, axis=1)
        at = np.arange(1.0, requests + 1)
        return first(log_e_below(bad, at, bound) >= LIMIT, at)

    return in_chunks(runs, simulate)


def differ_after(rng: np.random.Generator, runs: int, shift: Floats, share: float, requests: int) -> Floats:
    """Ten equal classes against shifted ones; a look every 25 requests."""
    looks, equal = requests // 25, np.full(10, 0.1)

    def simulate(chunk: int) -> Floats:
        n = rng.binomial(25, share, (chunk, looks))
        ours = np.cumsum(rng.multinomial(n, equal + shift), axis=1)
        theirs = np.cumsum(rng.multinomial(25 - n, equal), axis=1)
        return first(log_e_differ(ours, theirs, share) >= LIMIT, np.arange(25.0, requests + 1, 25))

    return in_chunks(runs, simulate)


def better_after(
    rng: np.random.Generator, runs: int, discordant: float, chance: float, labels: int
) -> Floats:
    def simulate(chunk: int) -> Floats:
        won, lost, at = bad_events(
            rng, chunk, discordant * chance * 2, discordant * (1 - chance) * 2, 0.5, labels
        )
        return first((log_e_better(won, lost) >= LIMIT) & (at <= labels), at)

    return in_chunks(runs, simulate)


def compare(targets: dict[float, str], case: str, simulate: Callable[[float], str]) -> None:
    for share in SHARES:
        show(f"{case}, w = {share:.0%}", targets[share], simulate(share))


def shifts() -> Iterator[tuple[str, Floats, int, str, str]]:
    for points, requests, low, high in (
        (3, 60_000, "17,075 / 32,244", "6,700 / 12,519"),
        (5, 25_000, "6,625 / 12,010", "2,450 / 4,505"),
        (10, 8_000, "1,950 / 3,950", "850 / 1,500"),
    ):
        one = np.full(10, -points / 900)
        one[0] = points / 100
        yield f"one class +{points} pt", one, requests, low, high
    for points, requests, low, high in (
        (2, 20_000, "5,650 / 9,115", "1,850 / 3,300"),
        (4, 6_000, "1,325 / 2,254", "500 / 850"),
    ):
        yield f"every class ±{points} pt", np.tile([points / 100, -points / 100], 5), requests, low, high


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--runs", type=int, default=400, help="runs per row (2000 for two digits)")
    parser.add_argument("--seed", type=int, default=1)
    args = parser.parse_args()
    runs: int = args.runs
    rng = np.random.default_rng(args.seed)
    print(f"{runs} runs per row, alpha = 0.05; rates are good to about {1.96 * math.sqrt(0.0475 / runs):.1%}")

    heading("Equal arms, 0.5 % errors, 100,000 requests: alarms (2,000 runs at least)")
    null_runs = max(runs, 2000)
    compare(
        {0.1: "<= 5 % (3.2-3.8 %)", 0.5: "<= 5 % (3.5-4.4 %)"},
        "e-process, a look after every event",
        lambda w: f"{np.isfinite(found_after(rng, null_runs, 0.005, 0.005, w, 100_000)).mean():.1%}",
    )
    compare(
        {0.1: "34 %", 0.5: "31 %"},
        "naive z-test every 1,000 requests",
        lambda w: f"{naive_alarms(rng, null_runs, 0.005, w, 100):.1%}",
    )

    heading("Errors: requests until roll back, median / p90")
    for canary, baseline, requests, low, high in (
        (0.02, 0.005, 60_000, "2,867 / 7,548", "1,220 / 2,784"),
        (0.01, 0.005, 250_000, "19,954 / 47,957", "7,033 / 17,887"),
        (0.01, 0.001, 60_000, "3,585 / 7,496", "1,758 / 3,142"),
    ):

        def errors(w: float, canary: float = canary, baseline: float = baseline, n: int = requests) -> str:
            return spread(found_after(rng, null_runs, canary, baseline, w, n))

        compare({0.1: low, 0.5: high}, f"{baseline:.1%} to {canary:.1%}", errors)

    heading("Latency: requests until roll back, median / p90 (a look every 10)")
    for case, factor, part, requests, low, high in (
        ("x 1.2", 1.2, 1.0, 15_000, "1,409 / 3,357", "609 / 1,206"),
        ("x 1.1", 1.1, 1.0, 40_000, "4,908 / 13,894", "2,365 / 5,818"),
        ("2 % of the canary x 5", 5.0, 0.02, 40_000, "5,360 / 13,456", "2,430 / 5,319"),
    ):

        def slow(w: float, factor: float = factor, part: float = part, n: int = requests) -> str:
            return spread(slow_after(rng, runs, factor, part, w, n))

        compare({0.1: low, 0.5: high}, case, slow)
    compare(
        {0.1: "<= 5 % (1.8-4.3 %)", 0.5: "<= 5 % (1.8-4.3 %)"},
        "equal arms, 20,000 requests: alarms",
        lambda w: f"{np.isfinite(slow_after(rng, runs, 1.0, 0.0, w, 20_000)).mean():.1%}",
    )

    heading("Absolute bound: canary requests until cleared, median / p90")
    for bound, zero, tenth, quarter, half in (
        (0.002, "1,968", "1,968 / 4,499", "3,625 / 7,049", "9,458 / 22,836"),
        (0.005, "786", "786 / 1,798", "1,448 / 3,145", "3,780 / 9,400"),
        (0.01, "392", "392 / 897", "722 / 1,570", "1,888 / 4,683"),
        (0.02, "195", "195 / 447", "403 / 783", "863 / 2,203"),
    ):
        for part, target in ((0.0, zero), (0.1, tenth), (0.25, quarter), (0.5, half)):
            times = cleared_after(rng, runs, bound * part, bound, int(100 / bound))
            show(f"bound {bound:.1%}, rate {part:g} of it", target, spread(times))
    null = np.isfinite(cleared_after(rng, null_runs, 0.01, 0.01, 20_000)).mean()
    show("bound 1.0%, rate at it: wrongly cleared", "<= 5 % (4.0-5.5 %)", f"{null:.1%}")

    heading("Outputs differ: requests until seen, median / p90 (a look every 25)")
    for case, shift, requests, low, high in shifts():

        def differ(w: float, shift: Floats = shift, n: int = requests) -> str:
            return spread(differ_after(rng, runs, shift, w, n))

        compare({0.1: low, 0.5: high}, case, differ)
    compare(
        {0.1: "<= 5 % (2-3 %)", 0.5: "<= 5 % (2-3 %)"},
        "equal arms, 20,000 requests: alarms",
        lambda w: f"{np.isfinite(differ_after(rng, null_runs, np.zeros(10), w, 20_000)).mean():.1%}",
    )

    heading("Sequential McNemar: labels until the challenger is shown to be better")
    for case, discordant, chance, labels, target in (
        ("+2 pt at 6 % discordance", 0.06, 2 / 3, 20_000, "872 (fixed n: 925)"),
        ("+1 pt at 5 % discordance", 0.05, 0.6, 40_000, "2,816 (fixed n: 3,089)"),
    ):
        show(case, target, spread(better_after(rng, null_runs, discordant, chance, labels)))
    null = np.isfinite(better_after(rng, null_runs, 0.06, 0.5, 50_000)).mean()
    show("equal, 50,000 labels: alarms", "<= 5 % (4.3 %)", f"{null:.1%}")


if __name__ == "__main__":
    main()
