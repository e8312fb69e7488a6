"""The quick ways of the benchmark beside slow and plain ones."""

import numpy as np

from benchmarks.statistics.canary import LIMIT, cleared_after, enough, found_after
from lifecycle.core.analysis.bound import log_e_below


def test_the_look_that_clears_is_the_first_at_which_the_evidence_is_enough() -> None:
    needed = enough(0.02, 1_000)
    for bad in (0, 3, 10):
        assert log_e_below(bad, needed[bad], 0.02) >= LIMIT
        assert log_e_below(bad, needed[bad] - 1, 0.02) < LIMIT


def test_clearing_is_found_as_by_a_look_after_every_request() -> None:
    quick = cleared_after(np.random.default_rng(4), 20, 0.01, 0.02, 5_000)
    gaps = np.random.default_rng(4).geometric(0.01, (20, len(enough(0.02, 5_000))))
    at = np.arange(1, 5_001)
    for run, events in enumerate(np.cumsum(gaps, axis=1)):
        shown = log_e_below(np.searchsorted(events, at, side="right"), at, 0.02) >= LIMIT
        assert quick[run] == (at[shown][0] if shown.any() else np.inf)


def test_a_regression_is_found_sooner_the_larger_it_is() -> None:
    rng = np.random.default_rng(1)
    small, large = (np.median(found_after(rng, 50, rate, 0.01, 0.5, 50_000)) for rate in (0.02, 0.05))
    assert large < small
