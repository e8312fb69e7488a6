"""The page says what was lost and how much slower it was."""

from pathlib import Path
from typing import Any

import pytest

from benchmarks.swap.report import page, passed, upper_bound, write


def result(failed: int = 0, p99: float = 2.1, failed_before: int = 0) -> dict[str, Any]:
    def seen(requests: int, failed: int, p99: float) -> dict[str, Any]:
        return {"requests": requests, "failed": failed, "per_second": 900.0, "p50_ms": 1.0, "p99_ms": p99}

    return {
        "machine": {
            "date": "2026-11-25",
            "processor": "a CPU",
            "cores": 2,
            "memory_gib": 24,
            "kernel": "6",
            "load_average_before": 0.1,
            "python": "3.11",
            "tools": {"h2load": "h2load 1.5"},
        },
        "load_share": 0.5,
        "calm": [{"gRPC": seen(300_000, failed_before, calm)} for calm in (2.0, 1.0, 4.0)],
        "swapping": [
            {"gRPC": seen(300_000, 0, p99)},
            {"gRPC": seen(300_000, failed, p99 / 2)},
            {"gRPC": seen(400_000, 0, 9.0)},
        ],
        "moves_s": [0.05, 0.06, 0.2],
    }


def test_nothing_lost_and_hardly_slower_passes(tmp_path: Path) -> None:
    good = result()
    assert passed(good)
    assert "**0 of 1,000,000 requests failed** (at most 3.0e-06" in page(good).replace("\n", " ")
    assert "| 2.00 | 2.10 | 1.05 |" in page(good), "the turn that something else slowed down tips nothing"
    write(tmp_path, good)
    assert (tmp_path / "swap.md").read_text() == page(good)


@pytest.mark.parametrize(
    "bad",
    [result(failed=1), result(failed_before=1), result(p99=2.5)],
    ids=["a failure", "one without swaps", "slower"],
)
def test_a_failure_or_a_slowdown_does_not(bad: dict[str, Any]) -> None:
    assert not passed(bad)


def test_none_of_a_million_leaves_three() -> None:
    assert upper_bound(0, 1_000_000) == pytest.approx(3e-6)
