"""What came in after the answers of a rollout: labels and numbers, as sums by step of its live traffic.

Merges by addition; judges nothing.
"""

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from typing import Any, TypeVar

from lifecycle.core.performance.yardstick import Yardstick


@dataclass(frozen=True, slots=True)
class Labelled:
    """Answers of one version whose label is known, and the sum of their losses: how many were wrong.

    Where answers are numbers, a loss is a part; see `performance.yardstick`.
    """

    rows: int = 0
    loss: float = 0.0

    def merge(self, other: "Labelled") -> "Labelled":
        return Labelled(self.rows + other.rows, self.loss + other.loss)

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> "Labelled":
        # Evidence of a rollout that began before there were losses counts wrong answers.
        return cls(int(data["rows"]), float(data["loss"] if "loss" in data else data["wrong"]))


Labels = tuple[Labelled, Labelled]
"""The canary's and the champion's, of one step."""


@dataclass(frozen=True, slots=True)
class Numbers:
    """Live answers of one version that a business metric is known for, and the sum of what they gained.

    A gain is a part of the metric's range, in [0, 1]; see `analysis.metrics`.
    """

    rows: float = 0
    total: float = 0.0

    def merge(self, other: "Numbers") -> "Numbers":
        return Numbers(self.rows + other.rows, self.total + other.total)

    def worth(self, part: float) -> "Numbers":
        """As so much less evidence of the same mean."""
        return Numbers(self.rows * part, self.total * part)


Numbered = tuple[Numbers, Numbers]
"""The canary's and the champion's, of one step."""


_Sum = TypeVar("_Sum", Labelled, Numbers)


@dataclass(frozen=True, slots=True)
class Late:
    """What came in after the answers: all that is known by now.

    Args:
        labels: those of each step of live traffic.
        metrics: by name of a business metric, the numbers of each step.
        kept: answers of both versions that were captured, so that anything can come for them, since the
            canary first answered.
        yardstick: what the labels' losses are parts of; None before the first one counts.
        settled: the part of it that came until `until`, Unix seconds, and is not looked up again.
    """

    labels: tuple[Labels, ...] = ()
    metrics: Mapping[str, tuple[Numbered, ...]] = field(default_factory=dict)
    kept: int = 0
    yardstick: Yardstick | None = None
    until: float = -math.inf
    settled: "Late | None" = None

    def merge(self, other: "Late") -> "Late":
        """Both together, without what is settled of them; steps that only one has are taken as they are."""
        names = {**self.metrics, **other.metrics}
        metrics = {
            name: _step_by_step(self.metrics.get(name, ()), other.metrics.get(name, ())) for name in names
        }
        labels = _step_by_step(self.labels, other.labels)
        return Late(labels, metrics, self.kept + other.kept, self.yardstick or other.yardstick)

    def as_json(self) -> dict[str, Any]:
        metrics = {
            name: [[asdict(numbers) for numbers in step] for step in steps]
            for name, steps in self.metrics.items()
        }
        labels = [[asdict(labelled) for labelled in step] for step in self.labels]
        told = {"labels": labels, "metrics": metrics, "kept": self.kept}
        if self.yardstick is not None:
            told["yardstick"] = self.yardstick.as_json()
        if self.settled is not None:
            told |= {"until": self.until, "settled": self.settled.as_json()}
        return told

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> "Late":
        # Evidence of a rollout that began before these were counted has none, or one pair of all its steps.
        told = data.get("labels", ())
        steps = [told] if told and isinstance(told[0], Mapping) else told
        labels = tuple((Labelled.from_json(ours), Labelled.from_json(theirs)) for ours, theirs in steps)
        metrics = {
            name: tuple((Numbers(**ours), Numbers(**theirs)) for ours, theirs in steps)
            for name, steps in data.get("metrics", {}).items()
        }
        late = cls(labels, metrics, int(data.get("kept", 0)))
        if "yardstick" in data:
            late = replace(late, yardstick=Yardstick.from_json(data["yardstick"]))
        if "settled" in data:
            late = replace(late, until=float(data["until"]), settled=cls.from_json(data["settled"]))
        return late


def _step_by_step(
    left: tuple[tuple[_Sum, _Sum], ...], right: tuple[tuple[_Sum, _Sum], ...]
) -> tuple[tuple[_Sum, _Sum], ...]:
    both = tuple((a.merge(c), b.merge(d)) for (a, b), (c, d) in zip(left, right, strict=False))
    return both + left[len(both) :] + right[len(both) :]
