"""The Shiryaev-Roberts e-detector."""

import math

import numpy as np
import pytest

from lifecycle.core.drift.edetector import FACTORS, EDetector


def slow_log_evidence(bads: list[int], p0: float) -> float:
    total = 0.0
    for factor in FACTORS:
        odds = factor * p0 / (1 - p0)
        p1, m = odds / (1 + odds), 0.0
        for bad in bads:
            m = (m + 1) * (p1 / p0 if bad else (1 - p1) / (1 - p0))
        total += m / len(FACTORS)
    return math.log(total)


def test_equals_the_recursion_event_by_event() -> None:
    bads = [0, 1, 0, 0, 1, 1]
    detector = EDetector(0.1)
    for bad in bads:
        detector = detector.feed(float(bad), 1)
    assert detector.log_evidence == pytest.approx(slow_log_evidence(bads, 0.1))


def test_a_rise_is_found_soon_and_a_steady_rate_is_not() -> None:
    rng = np.random.default_rng(2)
    detector = EDetector(0.1)
    for _ in range(200):
        detector = detector.feed(int(rng.binomial(100, 0.1)), 100)
    assert not detector.alarm
    for _ in range(6):
        detector = detector.feed(int(rng.binomial(100, 0.2)), 100)
    assert detector.alarm
    assert detector.events == 20_600


def test_a_fall_is_no_alarm() -> None:
    detector = EDetector(0.1)
    for _ in range(1000):
        detector = detector.feed(0, 100)
    assert not detector.alarm


def test_an_empty_batch_changes_nothing() -> None:
    fresh = EDetector(0.1)
    fed = fresh.feed(3, 20)
    assert fed.feed(0, 0) is fed
    assert not fresh.alarm


def test_the_change_is_dated_however_long_the_stream_before_it() -> None:
    rng = np.random.default_rng(3)
    for before in (1_000, 20_000):
        detector = EDetector(0.1)
        for bad in rng.random(before) < 0.08:
            detector = detector.feed(float(bad), 1)
        while not detector.alarm:
            detector = detector.feed(float(rng.random() < 0.4), 1)
        assert detector.began == pytest.approx(before, abs=15)


def test_an_alarm_ends_once_the_rate_is_back_and_the_next_is_dated_anew() -> None:
    rng = np.random.default_rng(4)
    detector = EDetector(0.1)
    for bad in rng.random(5_000) < 0.4:
        detector = detector.feed(float(bad), 1)
    assert detector.alarm
    for bad in rng.random(1_000) < 0.05:
        detector = detector.feed(float(bad), 1)
    assert not detector.alarm
    for bad in rng.random(500) < 0.4:
        detector = detector.feed(float(bad), 1)
    assert detector.alarm
    assert detector.began == pytest.approx(6_000, abs=15)


def test_losses_between_none_and_all_count_as_much_as_they_are() -> None:
    detector = EDetector(0.1)
    for _ in range(500):
        detector = detector.feed(0.1, 1)
    assert not detector.alarm
    for _ in range(200):
        detector = detector.feed(0.3, 1)
    assert detector.alarm
    assert detector.began == 500


@pytest.mark.parametrize("rate", [0.0, 1.0])
def test_a_rate_of_nothing_or_all_is_refused(rate: float) -> None:
    with pytest.raises(ValueError, match="rate"):
        EDetector(rate)
