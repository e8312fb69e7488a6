"""Whether and since when answers are wrong more often than they were. Judges labelled rows only."""

import math
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Z = 2.576
"""Two-sided 99 %: a fall is looked for every few seconds, so one look must seldom be wrong."""
FEWEST_ROWS = 60
RECENT_ROWS = 300
FEWEST_REFERENCE_ROWS = 100


@dataclass(frozen=True, slots=True)
class Fall:
    """A confirmed loss of accuracy. `since` is the `at` of the first row after the change, Unix seconds."""

    since: float
    rows: int
    accuracy: float
    upper: float
    reference: float

    def as_json(self) -> dict[str, Any]:
        return asdict(self)


def find_fall(
    at: NDArray[np.float64], correct: NDArray[np.bool_], reference: float | None, margin: float
) -> Fall | None:
    """The fall that the newest rows show, if they show one.

    The newest rows have fallen when the upper Wilson bound of their accuracy is below the reference by
    more than the margin. Fewer than 60 of them show nothing.

    Args:
        at, correct: labelled rows of one version, [N], oldest first.
        reference: accuracy to compare with; None for that of the first 100 rows.
    """
    if reference is None:
        if len(at) < FEWEST_REFERENCE_ROWS + FEWEST_ROWS:
            return None
        reference = float(correct[:FEWEST_REFERENCE_ROWS].mean())
        at, correct = at[FEWEST_REFERENCE_ROWS:], correct[FEWEST_REFERENCE_ROWS:]
    start = change_point(correct)
    recent = correct[max(start, len(correct) - RECENT_ROWS) :]
    if len(recent) < FEWEST_ROWS:
        return None
    upper = wilson_upper(int(recent.sum()), len(recent))
    if upper >= reference - margin:
        return None
    return Fall(float(at[start]), len(correct) - start, float(recent.mean()), upper, reference)


def change_point(correct: NDArray[np.bool_]) -> int:
    """Index of the first row after the likeliest fall of the rate; 0 if one rate explains all rows.

    The split that maximises the Bernoulli likelihood, taken when it beats no split by the Bayesian
    information criterion (Schwarz 1978; Chen and Gupta, "Parametric Statistical Change Point
    Analysis", 2012): one more rate and one more position to pay for.
    """
    n = len(correct)
    if n < 2:
        return 0
    right = np.cumsum(correct)[:-1].astype(np.float64)
    rows = np.arange(1, n, dtype=np.float64)
    total = float(correct.sum())
    before, after = right / rows, (total - right) / (n - rows)
    gain = rows * _information(before) + (n - rows) * _information(after)
    gain -= n * float(_information(np.array([total / n]))[0])
    gain[after >= before] = -math.inf
    best = int(gain.argmax())
    return best + 1 if gain[best] > math.log(n) else 0


def wilson_upper(right: int, rows: int, z: float = Z) -> float:
    """Upper end of Wilson's interval of a share (Wilson 1927)."""
    share, spread = right / rows, z * z / rows
    half = z * math.sqrt(share * (1 - share) / rows + spread / (4 * rows))
    return (share + spread / 2 + half) / (1 + spread)


def _information(p: NDArray[np.float64]) -> NDArray[np.float64]:
    """Log-likelihood per row at its own rate."""
    safe = np.clip(p, 1e-12, 1 - 1e-12)
    result: NDArray[np.float64] = safe * np.log(safe) + (1 - safe) * np.log(1 - safe)
    return result
