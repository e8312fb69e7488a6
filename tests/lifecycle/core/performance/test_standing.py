"""Versions are judged each by its own rows."""

import math

import numpy as np

from lifecycle.core.analysis.evidence import Labelled
from lifecycle.core.change import Track
from lifecycle.core.performance.standing import Answers, Performance, stand

TRACK = Track.of(Labelled(1_000, 50), 0.05)


def answers(right: int, wrong: int, unlabelled: int = 0) -> Answers:
    n = right + wrong
    at = np.linspace(100.0, 119.9, n)
    correct = np.arange(n) < right
    return Answers(at, at, correct, np.concatenate([at, np.full(unlabelled, 105.0)]))


def performance(champion: int = 1) -> Performance:
    by_version = {1: answers(190, 10, 200), 2: answers(50, 150)}
    return stand(champion, TRACK, by_version, {}, {}, width_s=10, now=200.0)


def test_cohorts_are_by_version() -> None:
    told = performance().as_json()
    assert [version["version"] for version in told["versions"]] == [1, 2]
    assert [cohort["start"] for cohort in told["versions"][0]["cohorts"]] == [100.0, 110.0]
    assert told["versions"][0]["cohorts"][0]["coverage"] < 0.5
    assert told["versions"][0]["cohorts"][0]["accuracy"] == 1.0
    assert told["versions"][1]["cohorts"][1]["accuracy"] == 0.0


def test_what_labels_say_since_a_time() -> None:
    assert performance().between(1, 0.0, math.inf) == Labelled(200, 10)
    assert performance().between(2, 110.0, math.inf) == Labelled(100, 100)
    assert performance().between(2, 500.0, math.inf) == performance().between(9, 0.0, math.inf) == Labelled()


def test_what_was_kept_since_a_time() -> None:
    kept = {1: np.array([1.0, 2.0, 3.0])}
    seen = stand(1, TRACK, {}, {}, kept, width_s=10, now=20.0)
    assert [seen.kept_since(1, 2.0), seen.kept_since(1, 9.0), seen.kept_since(2, 0.0)] == [2, 0, 0]


def test_only_the_champion_can_fall() -> None:
    assert performance(champion=1).fall is None
    fall = performance(champion=2).fall
    assert fall is not None
    assert performance(champion=2).as_json()["fall"]["rows"] == fall.rows
    assert performance(champion=3).fall is None


def test_a_cohort_without_labels_has_no_accuracy() -> None:
    none = Answers(np.zeros(0), np.zeros(0), np.zeros(0, np.bool_), np.array([5.0]))
    told = stand(1, TRACK, {1: none}, {}, {}, width_s=10, now=20.0).as_json()
    assert told["versions"][0]["cohorts"][0]["accuracy"] is None
    assert told["fall"] is None
