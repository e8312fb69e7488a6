import numpy as np
import pytest

from lifecycle.core.performance.calibration import calibration_error


def test_the_error_is_the_gap_between_what_is_said_and_what_is_so() -> None:
    sure = np.full(1_000, 0.8)
    right = np.zeros(1_000)
    right[::2] = 1.0  # as many in every bin
    assert calibration_error(sure, right) == pytest.approx(0.3)
