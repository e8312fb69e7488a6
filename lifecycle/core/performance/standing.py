"""How a model's versions stand by their late labels, and whether the champion fell."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lifecycle.core.performance import numbers
from lifecycle.core.performance.answers import Errors, Measure
from lifecycle.core.performance.change import Fall, Track
from lifecycle.core.performance.numbers import Series
from lifecycle.core.performance.realised import Cohort, cohorts


@dataclass(frozen=True, slots=True)
class Answers:
    """Predictions of one version; labelled ones in the order in which their labels came.

    Args:
        at: when each labelled one was made, float64 [labelled], Unix seconds; `came` when its label came.
        errors: how wrong it was, [labelled].
        drawn: whether its version was drawn and not asked for, [labelled]; others are evidence for nothing.
        made_at: when each captured one was made, labelled or not, float64 [captured].
    """

    at: NDArray[np.float64]
    came: NDArray[np.float64]
    errors: Errors
    drawn: NDArray[np.bool_]
    made_at: NDArray[np.float64]

    def after(self, came: float) -> "Answers":
        """Without those whose label had come by then."""
        kept = self.came > came
        errors = Errors(self.errors.measure, self.errors.rows[kept])
        return Answers(self.at[kept], self.came[kept], errors, self.drawn[kept], self.made_at)


@dataclass(frozen=True, slots=True)
class Arrived:
    """What came in about a model's live answers since a time.

    Args:
        answers: with their labels, by version; without versions whose outputs no label can be compared with.
        metrics: numbers of business metrics, by name and version.
        made: when answers since then were given, by version, whether anything came for them or not, float64.
    """

    answers: Mapping[int, Answers] = field(default_factory=dict)
    metrics: Mapping[str, Mapping[int, Series]] = field(default_factory=dict)
    made: Mapping[int, NDArray[np.float64]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Performance:
    """What labels say by version and cohort of prediction time.

    Args:
        track: the champion's.
        measure: what its answers are measured by; None before any label.
        metrics: numbers of business metrics, by name and version.
    """

    champion: int
    track: Track
    measure: Measure | None
    cohorts: dict[int, tuple[Cohort, ...]]
    metrics: Mapping[str, Mapping[int, Series]] = field(default_factory=dict)

    @property
    def fall(self) -> Fall | None:
        """The champion's loss, if its labels confirm one."""
        return self.track.fall

    def as_json(self) -> dict[str, Any]:
        return {
            "champion": self.champion,
            "measure": self.measure,
            "reference": self.track.usual,
            "fall": self.fall.as_json() if self.fall else None,
            "versions": [
                {"version": version, "cohorts": [cohort.as_json() for cohort in of_version]}
                for version, of_version in sorted(self.cohorts.items())
            ],
            "metrics": numbers.as_json(self.metrics),
        }


def stand(champion: int, track: Track, arrived: Arrived, *, width_s: float, now: float) -> Performance:
    """Judge all versions.

    Args:
        track: what the champion's labels have shown before.
        width_s: length of a cohort.
    """
    measure = track.measure
    if (own := arrived.answers.get(champion)) is not None:
        track, measure = track.follow(own.at, own.came, own.errors), own.errors.measure
    by_version = {
        version: cohorts(seen.errors, seen.at, seen.made_at, width_s=width_s, now=now)
        for version, seen in arrived.answers.items()
    }
    return Performance(champion, track, measure, by_version, arrived.metrics)
