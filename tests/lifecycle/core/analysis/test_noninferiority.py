"""Clearing beside a champion whose losses change with the hours. Seeds are fixed."""

import math
from collections.abc import Sequence

import numpy as np
import pytest

from lifecycle.core.analysis.noninferiority import Shown, within_margin

ALPHA = 0.05
MARGIN = 0.05
Hour = tuple[float, int, float]
"""The canary's share, the looks (200 labels before each), and how often the champion is wrong."""


def cleared(hours: Sequence[Hour], excess: float, seed: int) -> bool:
    """Whether a version that is wrong so much more often is cleared at any look."""
    rng = np.random.default_rng(seed)
    canary, champion = np.zeros((len(hours), 2)), np.zeros((len(hours), 2))
    for at, (share, looks, rate) in enumerate(hours):
        for _ in range(looks):
            ours = int(200 * share)
            canary[at] += ours, rng.binomial(ours, rate + excess)
            champion[at] += 200 - ours, rng.binomial(200 - ours, rate)
            if within_margin(canary, champion, MARGIN, ALPHA / 2).log_e >= math.log(2 / ALPHA):
                return True
    return False


@pytest.mark.parametrize(
    "hours",
    [
        [(0.2, 60, 0.1)],
        [(0.05, 20, 0.2), (0.5, 30, 0.05)],  # easier for both while the canary has more of the traffic
        [(0.05, 20, 0.05), (0.5, 30, 0.2)],
    ],
)
def test_a_version_that_lacks_the_margin_is_hardly_ever_cleared(hours: Sequence[Hour]) -> None:
    assert sum(cleared(hours, MARGIN, seed) for seed in range(60)) <= 3


@pytest.mark.parametrize(
    "hours",
    [
        [(0.2, 60, 0.1)],
        [(0.05, 20, 0.2), (0.5, 60, 0.05)],
        [(0.05, 20, 0.05), (0.5, 60, 0.2)],  # harder for both while the canary has more of the traffic
    ],
)
def test_an_equal_version_is_cleared_whatever_the_hours_bring(hours: Sequence[Hour]) -> None:
    assert sum(cleared(hours, 0.0, seed) for seed in range(30)) >= 24


def test_the_limit_is_below_the_champion_and_the_margin_until_the_champion_is_known() -> None:
    few, many = (within_margin([(100, 10)], [(n, 0.1 * n)], MARGIN, ALPHA).limit for n in (50, 50_000))
    assert few < many < 0.1 + MARGIN


def test_steps_with_only_one_of_both_say_nothing() -> None:
    alone = [(400.0, 0.0), (0.0, 0.0)], [(0.0, 0.0), (900.0, 90.0)]
    assert within_margin(*alone, MARGIN, ALPHA) == Shown(0.0, MARGIN)
