"""How a model's versions stand by their late labels, and whether the champion fell."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lifecycle.core.analysis.evidence import Labelled
from lifecycle.core.change import Fall, Track
from lifecycle.core.performance import numbers
from lifecycle.core.performance.numbers import Series
from lifecycle.core.performance.realised import Cohort, cohorts


@dataclass(frozen=True, slots=True)
class Answers:
    """Predictions of one version; labelled ones in the order in which their labels came.

    Args:
        at: when each labelled one was made, float64 [labelled], Unix seconds; `came` when its label came.
        correct: whether it was right, [labelled].
        made_at: when each captured one was made, labelled or not, float64 [captured].
    """

    at: NDArray[np.float64]
    came: NDArray[np.float64]
    correct: NDArray[np.bool_]
    made_at: NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Performance:
    """Accuracy by version and cohort of prediction time. `track` is the champion's.

    `metrics` are the numbers of business metrics, by name and version. `kept` is when all captured answers of
    an active rollout's time were made, by version, Unix seconds.
    """

    champion: int
    track: Track
    cohorts: dict[int, tuple[Cohort, ...]]
    metrics: Mapping[str, Mapping[int, Series]] = field(default_factory=dict)
    kept: Mapping[int, NDArray[np.float64]] = field(default_factory=dict)

    @property
    def fall(self) -> Fall | None:
        """The champion's loss of accuracy, if its labels confirm one."""
        return self.track.fall

    def between(self, version: int, since: float, until: float) -> Labelled:
        """The version's labelled answers in cohorts that lie between two times, Unix seconds."""
        own = self.cohorts.get(version, ())
        seen = [cohort for cohort in own if since <= cohort.start and cohort.end <= until and cohort.labelled]
        wrong = sum(round((1 - cohort.accuracy) * cohort.labelled) for cohort in seen)
        return Labelled(sum(cohort.labelled for cohort in seen), wrong)

    def kept_since(self, version: int, at: float) -> int:
        """How many of the version's answers were captured since a time."""
        return int((self.kept[version] >= at).sum()) if version in self.kept else 0

    def as_json(self) -> dict[str, Any]:
        return {
            "champion": self.champion,
            "reference": self.track.usual,
            "fall": self.fall.as_json() if self.fall else None,
            "versions": [
                {"version": version, "cohorts": [_as_json(cohort) for cohort in of_version]}
                for version, of_version in sorted(self.cohorts.items())
            ],
            "metrics": numbers.as_json(self.metrics),
        }


def stand(
    champion: int,
    track: Track,
    answers: dict[int, Answers],
    metrics: Mapping[str, Mapping[int, Series]],
    kept: Mapping[int, NDArray[np.float64]],
    *,
    width_s: float,
    now: float,
) -> Performance:
    """Judge all versions; answers are by version.

    Args:
        track: what the champion's labels have shown before.
        metrics: numbers of business metrics, by name and version.
        kept: when captured answers were made, by version.
        width_s: length of a cohort.
    """
    own = answers.get(champion)
    if own is not None:
        track = track.follow(own.at, own.came, own.correct)
    by_version = {
        version: cohorts(seen.correct, seen.at, seen.made_at, width_s=width_s, now=now)
        for version, seen in answers.items()
    }
    return Performance(champion, track, by_version, metrics, kept)


def _as_json(cohort: Cohort) -> dict[str, Any]:
    names = ("start", "end", "predictions", "labelled", "low", "high", "coverage", "mature")
    accuracy = None if math.isnan(cohort.accuracy) else cohort.accuracy
    return {name: getattr(cohort, name) for name in names} | {"accuracy": accuracy}
