"""How good the predictions were, once their labels came: by cohort of prediction time.

A cohort is judged only when it had time to be labelled: labels that come fast are not like the others.
"""

import math
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lifecycle.core.analysis.bound import log_e_above, log_e_below
from lifecycle.core.verdict import Finding, Verdict

Z_95 = 1.959963984540054


class Metric(StrEnum):
    ACCURACY = "accuracy"
    MAE = "mae"


@dataclass(frozen=True, slots=True)
class Cohort:
    """Predictions made in [start, end), Unix seconds, and what their labels say so far.

    Args:
        predictions: predictions made; `labelled` of them have a label.
        value: accuracy in [0, 1], or mean absolute error; NaN without labels.
        low: 95 % interval with `high`: Wilson's for accuracy, normal for an error.
        mature: the last prediction is older than labels take to come.
    """

    start: float
    end: float
    metric: Metric
    predictions: int
    labelled: int
    value: float
    low: float
    high: float
    mature: bool

    @property
    def coverage(self) -> float:
        """Part of the predictions that have a label."""
        return self.labelled / self.predictions if self.predictions else 0.0


def cohorts(
    labels: NDArray[Any],
    predictions: NDArray[Any],
    at: NDArray[np.float64],
    predicted_at: NDArray[np.float64],
    *,
    metric: Metric,
    width_s: float,
    now: float,
    label_delay_s: float = 0.0,
) -> tuple[Cohort, ...]:
    """Cohorts with at least one prediction, oldest first; each starts at a multiple of `width_s`.

    Args:
        labels: of labelled predictions, [rows].
        predictions: what was answered, [rows]; classes for accuracy, numbers for MAE.
        at: when it was answered, [rows], Unix seconds.
        predicted_at: times of all predictions, labelled or not.
        label_delay_s: how long a label may take.
    """
    if metric is Metric.ACCURACY:
        scores = np.asarray(labels == predictions, np.float64)
    else:
        scores = np.abs(labels.astype(np.float64) - predictions.astype(np.float64))
    own = np.floor(at / width_s).astype(np.int64)
    starts, made = np.unique(np.floor(predicted_at / width_s).astype(np.int64), return_counts=True)
    result = []
    for start, count in zip(starts.tolist(), made.tolist(), strict=True):
        of_cohort = scores[own == start]
        value, low, high = (_wilson if metric is Metric.ACCURACY else _normal)(of_cohort)
        end = (start + 1) * width_s
        mature = end + label_delay_s <= now
        result.append(Cohort(start * width_s, end, metric, count, len(of_cohort), value, low, high, mature))
    return tuple(result)


def loss_change(
    reference: float, cohort: Cohort, margin: float = 0.02, alpha: float = 0.05, min_coverage: float = 0.0
) -> Finding:
    """Did the version lose more than the margin against its reference?

    Accuracy is tested against reference - margin by e-processes on the wrong answers, so that looking
    after every batch of labels is safe. A mean absolute error is compared, by its interval at this look,
    with reference * (1 + margin).

    Args:
        reference: accuracy or MAE when the version was accepted.
        min_coverage: part of the predictions that must have labels.
    """
    name = f"realised_{cohort.metric}"
    numbers = {"reference": reference, "labelled": float(cohort.labelled), "coverage": cohort.coverage}
    if not cohort.labelled:
        return Finding(name, Verdict.INCONCLUSIVE, "no labels yet", numbers)
    numbers |= {"value": cohort.value, "low": cohort.low, "high": cohort.high}
    said = f"{cohort.metric} {cohort.value:.4g} on {cohort.labelled} labels, reference {reference:.4g}"
    if not cohort.mature:
        return Finding(name, Verdict.INCONCLUSIVE, f"{said}; labels of this time are still coming", numbers)
    if cohort.coverage < min_coverage:
        reason = f"{said}; only {cohort.coverage:.0%} have labels, {min_coverage:.0%} are needed"
        return Finding(name, Verdict.INCONCLUSIVE, reason, numbers)
    if cohort.metric is Metric.ACCURACY:
        wrong = round((1 - cohort.value) * cohort.labelled)
        limit = min(max(1 - reference + margin, 1e-6), 1 - 1e-6)
        worse = float(log_e_above(wrong, cohort.labelled, limit)) >= math.log(1 / alpha)
        sound = float(log_e_below(wrong, cohort.labelled, limit)) >= math.log(1 / alpha)
    else:
        limit = reference * (1 + margin)
        worse, sound = cohort.low > limit, cohort.high < limit
    if worse:
        return Finding(name, Verdict.FAIL, f"{said}; the loss is larger than the margin", numbers)
    if sound:
        return Finding(name, Verdict.PASS, f"{said}; within the margin", numbers)
    return Finding(name, Verdict.INCONCLUSIVE, f"{said}; more labels are needed to tell", numbers)


def _wilson(right: NDArray[np.float64]) -> tuple[float, float, float]:
    n = len(right)
    if not n:
        return math.nan, 0.0, 1.0
    p, z2 = float(right.mean()), Z_95**2
    centre = (p + z2 / (2 * n)) / (1 + z2 / n)
    half = Z_95 / (1 + z2 / n) * math.sqrt(p * (1 - p) / n + z2 / (4 * n * n))
    return p, max(centre - half, 0.0), min(centre + half, 1.0)


def _normal(errors: NDArray[np.float64]) -> tuple[float, float, float]:
    n = len(errors)
    if n < 2:
        return (float(errors.mean()) if n else math.nan), 0.0, math.inf
    mean, half = float(errors.mean()), Z_95 * float(errors.std(ddof=1)) / math.sqrt(n)
    return mean, max(mean - half, 0.0), mean + half
