"""Late numbers are told with an interval."""

import numpy as np
import pytest

from lifecycle.core.performance.numbers import Series, as_json

AT = np.array([12.0, 22.0, 32.0])


def test_a_mean_is_told_with_its_interval() -> None:
    one = Series(np.ones(1), np.ones(1), np.full(1, 7.0))
    ((told),) = as_json({"revenue": {2: Series(AT, AT, np.array([0.0, 20.0, 10.0])), 1: one}})
    first, second = told["versions"]
    assert (first["version"], first["mean"], first["low"]) == (1, 7.0, None)
    assert (second["rows"], second["mean"]) == (3, 10.0)
    assert second["low"] == pytest.approx(10 - 1.96 * 10 / 3**0.5, rel=1e-3)
