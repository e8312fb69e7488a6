import json

import pytest

from benchmarks.scale.load import read


def told(failed: int, requests: int = 1000) -> str:
    numbers = {
        "requests": requests,
        "duration_us": 2_000_000,
        "failed": failed,
        "p50_us": 400,
        "p99_us": 2500,
    }
    return f"Running 2s test\n{json.dumps(numbers)}\n"


def test_the_rate_is_of_requests_that_were_answered() -> None:
    sample = read(told(0))
    assert (sample.per_second, sample.p50_ms, sample.p99_ms) == (500.0, 0.4, 2.5)


def test_one_failure_ends_the_run() -> None:
    for output in (told(1), told(0, requests=0)):
        with pytest.raises(RuntimeError, match="requests failed"):
            read(output)
