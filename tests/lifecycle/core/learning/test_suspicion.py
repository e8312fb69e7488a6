"""A poisoned source and unknown classes are put aside; honest ones are not, however wrong the model is."""

import numpy as np
import pytest
from numpy.typing import NDArray

from lifecycle.core.learning.suspicion import FEWEST_OF_A_KIND, suspect_sources, unheard

N = 3_000


def drawn(
    seed: int, rates: dict[str, float], *, rows: int = N, fall: float = 0.0
) -> tuple[NDArray[np.str_], NDArray[np.float64], NDArray[np.float64]]:
    """Labels of sources that speak equally often and say wrong at these rates, from half time on more."""
    rng = np.random.default_rng(seed)
    names = np.array(sorted(rates))
    sources = names[rng.integers(0, len(names), rows)]
    at = np.sort(rng.uniform(0, 1_000, rows))
    rate = np.array([rates[str(name)] for name in sources]) + fall * (at > 500)
    return sources, at, (rng.random(rows) < rate).astype(np.float64)


def test_a_source_that_contradicts_what_all_others_say_is_put_aside() -> None:
    (found,) = suspect_sources(*drawn(1, {"ann": 0.1, "bob": 0.1, "eve": 0.9}), ())
    assert "'eve'" in found.reason
    assert found.count == pytest.approx(N / 3, rel=0.1)


def test_a_source_whose_numbers_are_far_off_is_put_aside() -> None:
    sources, at, _ = drawn(1, {"ann": 0.0, "bob": 0.0, "eve": 0.0})
    losses = np.where(sources == "eve", 0.9, 0.25) * np.random.default_rng(2).uniform(0.5, 1.0, N)
    (found,) = suspect_sources(sources, at, losses, ())
    assert "'eve'" in found.reason
    assert list(suspect_sources(sources, at, np.full(N, 0.25), ())) == []


def test_several_are_found_one_after_the_other() -> None:
    found = list(suspect_sources(*drawn(1, {"ann": 0.1, "bob": 0.1, "eve": 0.9, "mallory": 0.6}), ()))
    assert [next(name for name in ("eve", "mallory") if name in each.reason) for each in found] == [
        "eve",
        "mallory",
    ]


@pytest.mark.parametrize("fall", [0.0, 0.6])
def test_sources_that_agree_are_kept_however_often_the_model_is_wrong(fall: float) -> None:
    for seed in range(50):
        assert list(suspect_sources(*drawn(seed, {"ann": 0.1, "bob": 0.15}, fall=fall), ())) == []


def test_one_that_only_spoke_after_the_answers_got_worse_is_kept() -> None:
    sources, at, wrong = drawn(3, {"ann": 0.1}, fall=0.7)
    late = np.where(at > 600, "bob", sources)
    assert list(suspect_sources(late, at, wrong, ())) == []
    mixed = np.where((at > 600) & (np.arange(N) % 2 == 0), "bob", sources)
    assert list(suspect_sources(mixed, at, wrong, ())) == []


def test_few_labels_a_single_source_and_a_trusted_one_are_kept() -> None:
    assert list(suspect_sources(*drawn(1, {"ann": 0.1, "eve": 0.9}, rows=12), ())) == []
    assert list(suspect_sources(*drawn(1, {"eve": 0.9}), ())) == []
    assert list(suspect_sources(*drawn(1, {"ann": 0.1, "eve": 0.9}), {"eve"})) == []


def test_a_few_labels_of_an_unknown_class_are_put_aside() -> None:
    known = np.repeat([0, 1, 2], FEWEST_OF_A_KIND)
    (found,) = unheard(np.array([0, 1, 99, 2, 99]), known)
    assert (found.rows.tolist(), found.count) == ([False, False, True, False, True], 2)
    assert "'99'" in found.reason


def test_a_new_class_with_enough_rows_numbers_and_unknown_references_are_kept() -> None:
    assert list(unheard(np.full(FEWEST_OF_A_KIND, 99), np.repeat([0, 1], 20))) == []
    assert list(unheard(np.array([0.5]), np.linspace(0, 1, 100))) == []
    assert list(unheard(np.array([7]), np.array([], np.int64))) == []
