"""Rollouts as they are judged, all guards together, on traffic that is not independent.

    python -m benchmarks.statistics.guards [--runs 400] [--seed 1]

Two workers split by their own low-discrepancy sequences. The machine slows down and recovers from window to
window, bursts of requests are three times slower, half of the errors come in incidents, the mix of answers
wanders, and a version with a small share is 30 µs slower for cold caches alone. A look follows every window.
Exits with 1 if equal versions are called unequal in more than 5 % of all runs.
"""

import argparse
import sys
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from functools import reduce

import numpy as np

from benchmarks.statistics.arrivals import Bools, Floats
from benchmarks.statistics.table import Table
from gateway.core.routing import Draws
from gateway.core.summary import latency_histogram
from lifecycle.core.analysis.evidence import Arm, Evidence, Segment
from lifecycle.core.analysis.guards import Guards, judge
from lifecycle.core.verdict import Verdict

PER_SECOND = 1_600
REFERENCE = 5_000
COLD_NS = 30_000
STRICT = Guards(latency_tolerance=0.0, latency_slack_ms=0.0)
CLASSES = 10


@dataclass(frozen=True, slots=True)
class Version:
    """How a version does: its error rate, and a factor on latency."""

    errors: float = 0.005
    slower: float = 1.0


class Traffic:
    """Makes windows of both arms, one after the other.

    Args:
        median_ns: of the champion's latency.
    """

    def __init__(
        self, rng: np.random.Generator, champion: Version, canary: Version, median_ns: float
    ) -> None:
        self._rng, self._champion, self._canary, self._median_ns = rng, champion, canary, median_ns
        self._draws = [Draws(float(rng.random())) for _ in range(2)]
        self._slowness = 0.0
        self._wander = np.zeros(CLASSES)

    def window(self, requests: int, share: float) -> tuple[Arm, Arm]:
        """The canary's and the champion's arms of so many requests."""
        workers = self._rng.integers(0, 2, requests)
        ours = np.array([self._draws[worker]() for worker in workers.tolist()]) < share
        failed = self._failed(ours)
        latency = self._latency(ours, share)
        classes = self._rng.choice(CLASSES, requests, p=self._mix())
        return (
            _arm(ours & failed, ours & ~failed, latency, classes),
            _arm(~ours & failed, ~ours & ~failed, latency, classes),
        )

    def _failed(self, ours: Bools) -> Bools:
        rate = np.where(ours, self._canary.errors, self._champion.errors)
        # Half of them come in incidents of 20 requests that fail sixty times as often, whoever answers.
        burst = _bursts(self._rng, len(ours), 20, 1 / 60)
        return np.asarray(self._rng.random(len(ours)) < rate * np.where(burst, 60, 1) / 2, np.bool_)

    def _latency(self, ours: Bools, share: float) -> Floats:
        self._slowness = 0.8 * self._slowness + 0.12 * float(self._rng.standard_normal())
        scale = np.exp(self._slowness + 0.5 * self._rng.standard_normal(len(ours)))
        scale *= np.where(_bursts(self._rng, len(ours), 40, 0.05), 3.0, 1.0)
        cold = COLD_NS * max(1 - 2 * share, 0.0) / 0.8
        own = np.where(ours, self._canary.slower, 1.0)
        return np.asarray(self._median_ns * scale * own + np.where(ours, cold, 0.0), np.float64)

    def _mix(self) -> Floats:
        self._wander = 0.9 * self._wander + 0.1 * self._rng.standard_normal(CLASSES)
        weights = np.exp(self._wander)
        return np.asarray(weights / weights.sum(), np.float64)


def _bursts(rng: np.random.Generator, requests: int, length: int, part: float) -> Bools:
    """Stretches of consecutive requests that make up about this part of all."""
    inside = np.zeros(requests + length, np.bool_)
    for start in rng.integers(0, requests, rng.poisson(requests * part / length)).tolist():
        inside[start : start + length] = True
    return inside[:requests]


def _arm(
    failed: Bools, answered: Bools, latency: Floats, classes: np.ndarray[tuple[int], np.dtype[np.int64]]
) -> Arm:
    errors, fine = int(failed.sum()), int(answered.sum())
    return Arm(
        errors + fine,
        errors,
        latency=latency_histogram(latency[answered].astype(np.int64)),
        outputs=np.bincount(classes[answered], minlength=CLASSES),
    )


def failures(
    traffic: Traffic, share: float, guards: Guards, seconds: float, window_s: float
) -> Iterator[tuple[float, set[str]]]:
    """Requests of both arms until the first look that any guard fails, and which do; or nothing."""
    before = (traffic.window(REFERENCE // 10, 0.0)[1] for _ in range(10))
    evidence = Evidence((), reduce(Arm.merge, before))
    per_window = int(PER_SECOND * window_s)
    for look in range(1, int(seconds / window_s) + 1):
        evidence = evidence.add(Segment(share, False, *traffic.window(per_window, share)))
        failed = {finding.name for finding in judge(evidence, guards) if finding.verdict is Verdict.FAIL}
        if failed:
            yield float(look * per_window), failed
            return


def rolled_back(
    rng: np.random.Generator,
    runs: int,
    share: float,
    canary: Version,
    guards: Guards,
    seconds: float,
    **how: float,
) -> tuple[Floats, Counter[str]]:
    """By run the requests until the roll back, infinity for none; and which guards failed."""
    window_s, median_ns = how.get("window_s", 1.0), how.get("median_ns", 350_000.0)
    times, names = np.full(runs, np.inf), Counter[str]()
    for run in range(runs):
        traffic = Traffic(rng, Version(), canary, median_ns)
        for requests, failed in failures(traffic, share, guards, seconds, window_s):
            times[run] = requests
            names.update(failed)
    return times, names


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--runs", type=int, default=400, help="runs per row")
    parser.add_argument("--seed", type=int, default=1)
    args = parser.parse_args()
    rng, table = np.random.default_rng(args.seed), Table()

    table.heading("Equal versions for 30 s at 1,600 requests/s: runs that any guard fails, and which")
    for told, guards in (("default limits", Guards()), ("no tolerance", STRICT)):
        for share in (0.1, 0.5):
            times, names = rolled_back(rng, args.runs, share, Version(), guards, 30.0)
            table.rate(f"{told}, w = {share:.0%}", "<= 5 %", times)
            for name, count in sorted(names.items()):
                table.note(f"  {name}", "", f"{count / args.runs:.2%}        ")

    runs = max(args.runs // 4, 10)
    table.heading("Requests until rolled back, median / p90; published are one test's at the 5 % level")
    for share, published in ((0.1, (2_867, 7_548)), (0.5, (1_220, 2_784))):
        for window_s in (1.0, 0.25):
            times, _ = rolled_back(rng, runs, share, Version(0.02), Guards(), 60.0, window_s=window_s)
            table.compared(f"errors 0.5 % to 2 %, w = {share:.0%}, {window_s} s windows", published, times)
    for share, published in ((0.1, (1_409, 3_357)), (0.5, (609, 1_206))):
        slow = Version(slower=1.2)
        times, _ = rolled_back(rng, runs, share, slow, STRICT, 60.0, window_s=0.25, median_ns=3_000_000.0)
        table.compared(f"3 ms x 1.2, no tolerance, w = {share:.0%}, 0.25 s", published, times)
    return table.end()


if __name__ == "__main__":
    sys.exit(main())
