"""Whether anything can be said of new rows."""

import numpy as np

from lifecycle.core.estimation.likeness import UNLIKE, likeness
from lifecycle.core.performance.rows import Rows


def rows(n: int, low: float = 0.0, high: float = 1.0, seed: int = 0) -> Rows:
    x = np.random.default_rng(seed).uniform(low, high, (n, 2))
    return Rows(x, x.sum(axis=1, keepdims=True))


def test_rows_like_the_reference_are_like_it() -> None:
    found = likeness(rows(2_000), rows(500, seed=1))
    assert (found.like, found.unknown) == (True, "")


def test_other_rows_that_it_knows_are_weighed() -> None:
    found = likeness(rows(4_000), rows(800, 0.4, 1.0, seed=1))
    assert (found.like, found.unknown) == (False, "")
    assert found.shift.auc > UNLIKE
    assert len(found.shift.weights) == 4_000


def test_rows_that_it_hardly_has_or_has_not_are_unknown() -> None:
    assert "only about" in likeness(rows(2_000), rows(500, 0.95, 1.0, seed=1)).unknown
    assert "the reference has none" in likeness(rows(2_000), rows(500, 0.5, 1.5, seed=1)).unknown
