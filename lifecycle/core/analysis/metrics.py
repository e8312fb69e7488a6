"""The guards on business metrics: is the mean of a late number worse with the version than with the champion?

Numbers are clipped to the bounds that the plan declares and taken as parts of that range, in [0, 1]. A part
counts as that much of an event: the tests of rates stay valid and hold however often one looks, see
`noninferiority`.
"""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lifecycle.core.analysis.late import Numbered, Numbers
from lifecycle.core.analysis.noninferiority import within_margin
from lifecycle.core.analysis.ratio import log_e_worse
from lifecycle.core.analysis.weighing import EValues, few
from lifecycle.core.verdict import Finding, Verdict

PREFIX = "feedback."
"""What the names of these metrics begin with, wherever they stand beside others."""
DIRECTIONS = ("higher", "lower")


@dataclass(frozen=True, slots=True)
class MetricGuard:
    """What a plan asks of one metric.

    Args:
        metric: `feedback.` and its name.
        direction: which is better, `higher` or `lower`.
        bounds: what the numbers lie between; what is outside counts as the bound.
        margin: how much worse the mean may be, in the metric's own unit.
    """

    metric: str
    direction: str
    bounds: tuple[float, float]
    margin: float

    def __post_init__(self) -> None:
        if not self.metric.startswith(PREFIX) or self.metric == PREFIX:
            raise ValueError(f"metric is `{PREFIX}NAME`, not {self.metric!r}")
        if self.direction not in DIRECTIONS:
            raise ValueError(f"direction is {' or '.join(DIRECTIONS)}, not {self.direction!r}")
        if not -math.inf < self.bounds[0] < self.bounds[1] < math.inf:
            raise ValueError("bounds are two numbers, the lower one first")
        if not 0 < self.margin < self.width:
            raise ValueError("margin is above 0 and less than the bounds are apart")

    @property
    def name(self) -> str:
        return self.metric.removeprefix(PREFIX)

    @property
    def width(self) -> float:
        return self.bounds[1] - self.bounds[0]

    def gains(self, values: NDArray[np.float64]) -> NDArray[np.float64]:
        """Numbers as parts of the range, [rows]; 1 is best."""
        low, high = self.bounds
        parts = (np.clip(values, low, high) - low) / self.width
        return parts if self.direction == "higher" else 1 - parts

    def mean(self, gain: float) -> float:
        """A mean of gains in the metric's unit."""
        low, high = self.bounds
        return low + gain * self.width if self.direction == "higher" else high - gain * self.width

    def as_json(self) -> dict[str, Any]:
        return {
            "metric": self.metric,
            "direction": self.direction,
            "bounds": list(self.bounds),
            "margin": self.margin,
        }


def judge_metric(
    guard: MetricGuard,
    steps: Sequence[Numbered],
    alpha_harm: float,
    alpha_clear: float,
    independence: float = 1.0,
) -> Finding:
    """Fails when the version's mean gain is below the champion's of the same step.

    Passes when it is shown to lose at most the margin, see `noninferiority`. Each step is compared with
    itself: what changes with time is nobody's fault.

    Args:
        steps: gains of the version and of the champion, by step of the rollout.
        independence: independent observations per number; see `clusters`.
    """
    ours, theirs = (_total(step[side] for step in steps) for side in (0, 1))
    if not ours.rows or not theirs.rows:
        who = "the champion" if ours.rows else "the version"
        reason = f"no answer of {who} has this number yet; the plan asks for it"
        return Finding(
            guard.metric, Verdict.INCONCLUSIVE, reason, {"log_e": 0.0, "progress": 0.0, "requests": 0.0}
        )
    own, usual = ours.total / ours.rows, theirs.total / theirs.rows
    single = [(mine.worth(independence), other.worth(independence)) for mine, other in steps]
    units = ours.rows * independence
    lost = np.array([[(each.rows, each.rows - each.total) for each in step] for step in single])
    shown = within_margin(lost[:, 0], lost[:, 1], guard.margin / guard.width, alpha_clear / 2)
    limit = 1 - shown.limit
    e_values = EValues(
        _worse(single),
        math.log(1 / alpha_harm),
        shown.log_e,
        math.log(2 / alpha_clear),
    )
    numbers = {
        "requests": float(ours.rows),
        "canary_mean": guard.mean(own),
        "champion_mean": guard.mean(usual),
        "limit_mean": guard.mean(limit),
        "units": units,
    }
    canary, champion = f"{guard.mean(own):.4g} of {ours.rows}", f"{guard.mean(usual):.4g} of {theirs.rows}"
    bound = f"{'above' if guard.direction == 'higher' else 'below'} {guard.mean(limit):.4g}"
    missing = f"more numbers are needed to show that it is {bound}{few(units, ours.rows)}"
    said = f"mean: canary {canary}, champion {champion}"
    return e_values.finding(guard.metric, said, f"it is {bound}", missing, numbers)


def _worse(steps: Sequence[Numbered]) -> float:
    """Log e-value against "the version's gains are no less than the champion's".

    Two tests, averaged: one counts what is lost, and tells most where the mean is near the best; one counts
    what is gained, and tells most where it is near the worst.
    """
    both = [(ours, theirs) for ours, theirs in steps if ours.rows and theirs.rows]
    if not both:
        return 0.0
    share = np.array([ours.rows / (ours.rows + theirs.rows) for ours, theirs in both])
    gained = np.array([[ours.total, theirs.total] for ours, theirs in both]).T
    lost = np.array([[n.rows - n.total for n in pair] for pair in both]).T
    return _average(log_e_worse(lost[0], lost[1], share), log_e_worse(gained[1], gained[0], 1 - share))


def _average(left: Any, right: Any) -> float:
    return float(np.logaddexp(left, right)) - math.log(2)


def _total(numbers: Iterable[Numbers]) -> Numbers:
    total = Numbers()
    for each in numbers:
        total = total.merge(each)
    return total
