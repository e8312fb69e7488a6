import numpy as np
import pytest

from gateway.core.summary import latency_histogram
from gateway.telemetry.histograms import of_batches, of_latencies


def test_latencies_have_bounds_below_a_millisecond() -> None:
    ms = np.array([0.04, 0.15, 0.15, 3.0, 90_000.0])
    buckets, total = of_latencies(latency_histogram((ms * 1e6).astype(np.int64)))
    below = dict(buckets)
    assert [below[bound] for bound in ("5e-05", "0.0002", "0.002", "0.005", "30.0", "+Inf")] == [
        1,
        3,
        3,
        4,
        4,
        5,
    ]
    assert total == pytest.approx(60.0, rel=0.01)  # the last bin counts as its lower end


def test_batches_are_cumulated_by_powers_of_two() -> None:
    buckets = of_batches(np.array([5, 1, 0, 0, 0, 0, 0, 0, 2], np.int64))
    assert (buckets[0], buckets[1], buckets[-2], buckets[-1]) == (("1", 5), ("2", 6), ("128", 6), ("+Inf", 8))
