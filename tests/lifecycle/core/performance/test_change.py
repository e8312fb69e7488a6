"""A fall is found where it began, and not where there is none."""

import numpy as np
import pytest
from numpy.typing import NDArray

from lifecycle.core.analysis.late import Labelled
from lifecycle.core.performance.answers import Errors, Measure
from lifecycle.core.performance.change import Fall, Track
from lifecycle.core.performance.reference import Reference
from lifecycle.core.performance.yardstick import Yardstick

REFERENCE = Reference.of_classes(2_000, 60)


def rows(*parts: tuple[int, float], seed: int = 0) -> NDArray[np.bool_]:
    chance = np.random.default_rng(seed)
    return np.concatenate([chance.random(n) < rate for n, rate in parts])


def wrong(correct: NDArray[np.bool_]) -> Errors:
    return Errors(Measure.ACCURACY, (~correct).astype(np.float64))


def at(n: int) -> NDArray[np.float64]:
    return 1_000.0 + np.arange(n, dtype=np.float64)


def fall_of(correct: NDArray[np.bool_], reference: Reference | None = REFERENCE) -> Fall | None:
    made = at(len(correct))
    return Track.of(reference, 0.05).follow(made, made + 1, wrong(correct)).fall


def test_fall_is_dated_and_measured() -> None:
    fall = fall_of(rows((400, 0.97), (200, 0.7)))
    assert fall is not None
    assert fall.since == pytest.approx(1_400, abs=20)
    assert fall.value == pytest.approx(0.7, abs=0.1)
    assert fall.bound < 0.92
    assert fall.reference == 0.97


def test_rows_since_a_fall_add_up_though_the_oldest_are_not_read_again() -> None:
    correct = rows((400, 0.97), (600, 0.6))
    made, track = at(len(correct)), Track.of(REFERENCE, 0.05)
    for end in range(100, len(correct) + 1, 100):
        kept = slice(max(end - 200, 0), end)
        track = track.follow(made[kept], made[kept] + 1, wrong(correct[kept]))
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
    small = Reference.of_classes(100, 20)
    assert fall_of(rows((2_000, 0.99), (500, 0.8)), small) is not None
    assert fall_of(rows((500, 0.8)), small) is None


def test_a_small_reference_that_was_lucky_starts_no_alarm() -> None:
    falls = sum(
        fall_of(rows((1_000, 0.9), seed=seed), Reference.of_classes(50, 1)) is not None for seed in range(50)
    )
    assert falls == 0


def test_few_wrong_answers_show_nothing() -> None:
    assert fall_of(np.zeros(8, np.bool_)) is None
    assert fall_of(np.zeros(0, np.bool_)) is None


def test_a_steady_rate_at_the_edge_of_the_margin_is_seldom_called_a_fall_however_often_one_looks() -> None:
    falls = 0
    for seed in range(100):
        correct, track = rows((2_000, 0.9), seed=seed), Track.of(Reference.of_classes(2_000, 100), 0.05)
        for n in range(50, 2_000, 150):
            track = track.follow(at(n), at(n), wrong(correct[:n]))
            falls += track.fall is not None
    assert falls == 0


def test_a_fall_is_over_once_answers_are_right_again() -> None:
    correct = rows((400, 0.97), (200, 0.6), (600, 0.97))
    assert fall_of(correct[:600]) is not None
    assert fall_of(correct) is None


def test_labels_count_once_and_a_fall_stands_though_what_was_before_it_is_gone() -> None:
    correct = rows((1_000, 0.95), (300, 0.6), (300, 0.6))
    made, track = at(1_600), Track.of(None, 0.05)
    seen = track.follow(made[:1_300], made[:1_300], wrong(correct[:1_300]))
    assert seen.follow(made[:1_300], made[:1_300], wrong(correct[:1_300])) is seen
    later = seen.follow(made[1_100:], made[1_100:], wrong(correct[1_100:]))
    assert seen.fall is not None
    assert later.fall is not None
    assert later.fall.since == seen.fall.since
    assert later.detector.events == 1_600


def off(*parts: tuple[int, float], seed: int = 0) -> Errors:
    """Absolute errors of so many rows with such a mean, of normal noise."""
    chance = np.random.default_rng(seed)
    return Errors(
        Measure.MAE, np.concatenate([mean * 1.2533 * np.abs(chance.normal(size=n)) for n, mean in parts])
    )


def referred(mae: float, rows: int = 1_000, seed: int = 99) -> Reference:
    known = off((rows, mae), seed=seed).rows
    yardstick = Yardstick.of(Measure.MAE, float(known.mean()))
    loss = float(yardstick.losses(known).sum())
    return Reference(yardstick, float(known.mean()), Labelled(rows, loss))


def rise_of(errors: Errors, reference: Reference | None = None) -> Fall | None:
    made = at(len(errors.rows))
    return Track.of(reference, 0.05).follow(made, made + 1, errors).fall


@pytest.mark.parametrize("known", [True, False])
def test_a_rise_of_the_error_of_numbers_is_dated_and_measured_in_their_unit(known: bool) -> None:
    rise = rise_of(off((1_000, 20.0), (300, 40.0)), referred(20.0) if known else None)
    assert rise is not None
    assert rise.since == pytest.approx(2_000, abs=60)
    assert rise.measure is Measure.MAE
    assert rise.value == pytest.approx(40.0, rel=0.15)
    assert 30.0 < rise.bound < rise.value
    assert rise.reference == pytest.approx(20.0, rel=0.2)
    assert str(rise).startswith("mean absolute error ")
    assert {"mae", "lower", "reference"} <= rise.as_json().keys()


def test_a_steady_error_at_the_edge_of_the_margin_is_no_rise() -> None:
    rises = 0
    for seed in range(50):
        edge = off((500, 20.0), (2_000, 23.5), seed=seed)
        rises += rise_of(edge, referred(20.0, seed=1_000 + seed)) is not None
        rises += rise_of(off((2_000, 20.0), seed=seed)) is not None
    assert rises == 0


def test_one_wild_error_is_no_rise_and_answers_that_are_no_numbers_are_one() -> None:
    calm = off((1_000, 20.0)).rows
    calm[500] = 1e9
    assert rise_of(Errors(Measure.MAE, calm), referred(20.0)) is None
    calm[600:] = np.inf
    assert rise_of(Errors(Measure.MAE, calm), referred(20.0)) is not None


def test_few_labels_without_a_reference_say_nothing_of_what_is_usual() -> None:
    made, track = at(99), Track.of(None, 0.05)
    assert track.follow(made, made, off((99, 1.0))) is track


def test_labels_that_looked_like_classes_begin_anew_once_they_do_not() -> None:
    made = at(400)
    track = Track.of(None, 0.05).follow(made[:50], made[:50], wrong(np.ones(50, np.bool_)))
    assert track.yardstick is Yardstick.CLASSES
    later = track.follow(made, made, off((400, 5.0)))
    assert later.yardstick is not None
    assert later.yardstick.measure is Measure.MAE
