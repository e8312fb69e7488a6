"""Every request of h2load is accounted for, and a gRPC error is no success."""

import numpy as np
import pytest

from benchmarks.swap.load import read

REPORT = "finished in 2.00s, 500.50 req/s, 1.21MB/s\ntraffic: 1.2MB (9) total, 9.5KB ({data}) data\n"


def log(*statuses: int) -> "np.typing.NDArray[np.int64]":
    return np.array([(1, status, 1_000 * (place + 1)) for place, status in enumerate(statuses)])


def test_all_right_is_no_failure() -> None:
    seen = read(REPORT.format(data=300), log(200, 200, 200), 3, 100)
    assert (seen.requests, seen.failed, seen.per_second, seen.p50_ms) == (3, 0, 500.5, 2.0)


@pytest.mark.parametrize(
    ("statuses", "data", "failed"),
    [((200, 503, 200), 200, 1), ((200, 200), 200, 1), ((200, 200, 200), 200, 1)],
    ids=["wrong status", "no answer", "gRPC error"],
)
def test_whatever_is_missing_is_a_failure(statuses: tuple[int, ...], data: int, failed: int) -> None:
    assert read(REPORT.format(data=data), log(*statuses), 3, 100).failed == failed
