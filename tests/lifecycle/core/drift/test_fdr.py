"""e-values from p-values, and e-BH."""

import numpy as np
import pytest

from lifecycle.core.drift.fdr import e_bh, e_from_p


def test_the_calibrator_has_mean_one_under_uniform_p_values() -> None:
    p = (np.arange(1_000_000) + 0.5) / 1_000_000
    assert float(e_from_p(p).mean()) == pytest.approx(1.0, abs=1e-2)
    assert np.isfinite(e_from_p(np.zeros(1))).all()


def test_e_bh_takes_the_greatest_number_that_clears_its_own_threshold() -> None:
    # d / (k alpha) for d = 4, alpha = .05: 80, 40, 26.7, 20.
    assert e_bh(np.array([50.0, 1.0, 45.0, 2.0]), 0.05).tolist() == [True, False, True, False]
    assert e_bh(np.array([50.0, 1.0, 2.0, 2.0]), 0.05).tolist() == [False] * 4
    assert e_bh(np.full(4, 20.0), 0.05).tolist() == [True] * 4
    assert e_bh(np.zeros(0), 0.05).tolist() == []
