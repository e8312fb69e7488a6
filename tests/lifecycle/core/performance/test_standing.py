"""Versions are judged each by its own rows."""

import numpy as np

from lifecycle.core.performance.answers import Errors, Measure
from lifecycle.core.performance.change import Track
from lifecycle.core.performance.reference import Reference
from lifecycle.core.performance.standing import Answers, Arrived, Performance, stand

TRACK = Track.of(Reference.of_classes(1_000, 50), 0.05)


def answers(right: int, wrong: int, unlabelled: int = 0) -> Answers:
    n = right + wrong
    at = np.linspace(100.0, 119.9, n)
    errors = Errors(Measure.ACCURACY, (np.arange(n) >= right).astype(np.float64))
    drawn = np.ones(n, np.bool_)
    return Answers(at, at, errors, drawn, np.concatenate([at, np.full(unlabelled, 105.0)]))


def performance(champion: int = 1) -> Performance:
    by_version = {1: answers(190, 10, 200), 2: answers(50, 150)}
    return stand(champion, TRACK, Arrived(by_version), width_s=10, now=200.0)


def test_cohorts_are_by_version() -> None:
    told = performance().as_json()
    assert [version["version"] for version in told["versions"]] == [1, 2]
    assert [cohort["start"] for cohort in told["versions"][0]["cohorts"]] == [100.0, 110.0]
    assert told["versions"][0]["cohorts"][0]["coverage"] < 0.5
    assert told["versions"][0]["cohorts"][0]["accuracy"] == 1.0
    assert told["versions"][1]["cohorts"][1]["accuracy"] == 0.0


def test_only_the_champion_can_fall() -> None:
    assert performance(champion=1).fall is None
    fall = performance(champion=2).fall
    assert fall is not None
    assert performance(champion=2).as_json()["fall"]["rows"] == fall.rows
    assert performance(champion=3).fall is None


def test_a_cohort_without_labels_has_no_accuracy() -> None:
    nothing = Errors(Measure.ACCURACY, np.zeros(0))
    none = Answers(np.zeros(0), np.zeros(0), nothing, np.zeros(0, np.bool_), np.array([5.0]))
    told = stand(1, TRACK, Arrived({1: none}), width_s=10, now=20.0).as_json()
    assert told["versions"][0]["cohorts"][0]["accuracy"] is None
    assert told["fall"] is None


def test_what_the_champion_is_measured_by_is_told() -> None:
    assert performance().as_json()["measure"] == "accuracy"
    assert stand(1, Track.of(None, 0.05), Arrived(), width_s=10, now=20.0).measure is None
