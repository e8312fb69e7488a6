"""False and missed drift alarms on simulated features, and the delay of the e-detector.

python -m benchmarks.statistics.drift [--windows 1000] [--seed 1]
"""

import argparse

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtri

from gateway.core.binning import Bin
from lifecycle.core.drift.edetector import EDetector
from lifecycle.core.drift.report import DriftReport, judge

FEATURES = 100
BINS = 64
REFERENCE_ROWS = 50_000
EQUAL = np.full(BINS, 1 / BINS)

Counts = NDArray[np.int64]


def table(rng: np.random.Generator, rows: int, shares: NDArray[np.float64]) -> Counts:
    """Counts of independent features, [features, bins], in the columns of a profile."""
    counts = np.zeros((FEATURES, Bin.FIRST + BINS), np.int64)
    counts[:, Bin.FIRST :] = rng.multinomial(rows, shares, FEATURES)
    return counts


def shifted(sigma: float) -> NDArray[np.float64]:
    """Shares of a normal feature in 64 equal reference bins after a shift of its mean by `sigma`."""
    middle = (np.arange(BINS) + 0.5) / BINS
    weights = np.exp(ndtri(middle) * sigma - sigma * sigma / 2)
    return np.asarray(weights / weights.sum(), np.float64)


def reports(
    rng: np.random.Generator, windows: int, rows: int, ordered: bool, drifted: int, sigma: float
) -> list[DriftReport]:
    reference = table(rng, REFERENCE_ROWS, EQUAL)
    names = [f"x{i}" for i in range(FEATURES)]
    kind = np.full(FEATURES, ordered)
    result = []
    for _ in range(windows):
        live = table(rng, rows, EQUAL)
        live[:drifted] = table(rng, rows, shifted(sigma))[:drifted]
        result.append(judge(reference, live, kind, names))
    return result


def delay(rng: np.random.Generator, rate: float, batch: int, limit: int = 50_000) -> int | None:
    """Labels from a change of the error rate from 10 % at label 5,000 to the alarm; None if none came."""
    detector = EDetector(0.1)
    for at in range(0, limit, batch):
        bad = int(rng.binomial(batch, 0.1 if at < 5_000 else rate))
        detector = detector.feed(bad, batch)
        if detector.alarm:
            return at + batch - 5_000
    return None


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--windows", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=1)
    args = parser.parse_args()
    rng = np.random.default_rng(args.seed)

    print(f"{FEATURES} features, {args.windows} windows a row; target: false discovery rate <= 5 %")
    print(f"  {'case':<44}{'false discoveries':>20}{'found':>10}")
    for ordered in (True, False):
        for rows in (500, 1_000, 5_000):
            for drifted, sigma in ((0, 0.0), (10, 0.3)):
                share, found = [], []
                for report in reports(rng, args.windows, rows, ordered, drifted, sigma):
                    alarms = np.array([feature.drifted for feature in report.features])
                    share.append(alarms[drifted:].sum() / max(int(alarms.sum()), 1))
                    found.append(alarms[:drifted].mean() if drifted else 0.0)
                kind = "KS" if ordered else "chi-square"
                case = f"{kind}, {rows:,} rows, {drifted} features drift"
                seen = f"{np.mean(found):>9.1%}" if drifted else f"{'-':>9}"
                print(f"  {case:<44}{np.mean(share):>19.2%} {seen}", flush=True)

    print("\nError rate 10 % rises at label 5,000: labels until the alarm, median / p90 (run length >= 1e6)")
    for rate, target in ((0.15, "672 / 1,178"), (0.2, "223 / 346"), (0.3, "74 / 126")):
        for batch in (10, 50):
            delays = [delay(rng, rate, batch) for _ in range(200)]
            after = [d for d in delays if d is not None and d > 0]
            false = sum(d is not None and d <= 0 for d in delays)
            median, high = np.quantile(after, (0.5, 0.9))
            case = f"to {rate:.0%}, batches of {batch}"
            print(f"  {case:<30} target {target:<14} measured {median:,.0f} / {high:,.0f}, {false} early")


if __name__ == "__main__":
    main()
