"""A fall is found where it began, and not where there is none."""

import numpy as np
import pytest
from numpy.typing import NDArray

from lifecycle.core.analysis.evidence import Labelled
from lifecycle.core.change import Fall, Track

REFERENCE = Labelled(2_000, 60)


def rows(*parts: tuple[int, float], seed: int = 0) -> NDArray[np.bool_]:
    chance = np.random.default_rng(seed)
    return np.concatenate([chance.random(n) < rate for n, rate in parts])


def at(n: int) -> NDArray[np.float64]:
    return 1_000.0 + np.arange(n, dtype=np.float64)


def fall_of(correct: NDArray[np.bool_], reference: Labelled | None = REFERENCE) -> Fall | None:
    made = at(len(correct))
    return Track.of(reference, 0.05).follow(made, made + 1, correct).fall


def test_fall_is_dated_and_measured() -> None:
    fall = fall_of(rows((400, 0.97), (200, 0.7)))
    assert fall is not None
    assert fall.since == pytest.approx(1_400, abs=20)
    assert fall.accuracy == pytest.approx(0.7, abs=0.1)
    assert fall.upper < 0.92
    assert fall.reference == 0.97


def test_rows_since_a_fall_add_up_though_the_oldest_are_not_read_again() -> None:
    correct = rows((400, 0.97), (600, 0.6))
    made, track = at(len(correct)), Track.of(REFERENCE, 0.05)
    for end in range(100, len(correct) + 1, 100):
        kept = slice(max(end - 200, 0), end)
        track = track.follow(made[kept], made[kept] + 1, correct[kept])
    whole = fall_of(correct)
    assert track.fall is not None
    assert whole is not None
    assert (track.fall.since, track.fall.rows) == (whole.since, whole.rows)


def test_a_fall_from_the_first_row_on_is_dated_there() -> None:
    fall = fall_of(rows((200, 0.6)))
    assert fall is not None
    assert fall.since == 1_000


def test_without_a_reference_the_labels_before_are_it() -> None:
    fall = fall_of(rows((1_000, 0.95), (200, 0.6)), None)
    assert fall is not None
    assert fall.since == pytest.approx(2_000, abs=20)
    assert 0.9 < fall.reference < 0.95
    assert fall_of(rows((1_000, 0.6)), None) is None


def test_a_model_that_is_better_live_is_held_to_that() -> None:
    small = Labelled(100, 20)
    assert fall_of(rows((2_000, 0.99), (500, 0.8)), small) is not None
    assert fall_of(rows((500, 0.8)), small) is None


def test_a_small_reference_that_was_lucky_starts_no_alarm() -> None:
    falls = sum(fall_of(rows((1_000, 0.9), seed=seed), Labelled(50, 1)) is not None for seed in range(50))
    assert falls == 0


def test_few_wrong_answers_show_nothing() -> None:
    assert fall_of(np.zeros(8, np.bool_)) is None
    assert fall_of(np.zeros(0, np.bool_)) is None


def test_a_steady_rate_at_the_edge_of_the_margin_is_seldom_called_a_fall_however_often_one_looks() -> None:
    falls = 0
    for seed in range(100):
        correct, track = rows((2_000, 0.9), seed=seed), Track.of(Labelled(2_000, 100), 0.05)
        for n in range(50, 2_000, 150):
            track = track.follow(at(n), at(n), correct[:n])
            falls += track.fall is not None
    assert falls == 0


def test_a_fall_is_over_once_answers_are_right_again() -> None:
    correct = rows((400, 0.97), (200, 0.6), (600, 0.97))
    assert fall_of(correct[:600]) is not None
    assert fall_of(correct) is None


def test_labels_count_once_and_a_fall_stands_though_what_was_before_it_is_gone() -> None:
    correct = rows((1_000, 0.95), (300, 0.6), (300, 0.6))
    made, track = at(1_600), Track.of(None, 0.05)
    seen = track.follow(made[:1_300], made[:1_300], correct[:1_300])
    assert seen.follow(made[:1_300], made[:1_300], correct[:1_300]) is seen
    later = seen.follow(made[1_100:], made[1_100:], correct[1_100:])
    assert seen.fall is not None
    assert later.fall is not None
    assert later.fall.since == seen.fall.since
    assert later.detector.events == 1_600
