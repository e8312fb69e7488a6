"""The table is per request, costliest first, with what is negligible in one row."""

from benchmarks.load.cpu import Use
from benchmarks.load.hot_path import table


def test_rows_are_microseconds_per_request() -> None:
    uses = {
        ("edge", "loop"): Use(user=1e6, system=1e6, sleeps=50),
        ("worker", "loop"): Use(user=4e6, waiting=3e6),
        ("Ray", "io"): Use(user=2e4),
        ("node", "loop"): Use(user=1e4),
    }
    assert table(uses, 100).splitlines()[2:] == [
        "| worker | loop | 40.0 | 40.0 | 0.0 | 30.0 | 0.00 |",
        "| edge | loop | 20.0 | 10.0 | 10.0 | 0.0 | 0.50 |",
        "| all others |  | 0.3 | 0.3 | 0.0 | 0.0 | 0.00 |",
        "| together |  | 60.3 | 50.3 | 10.0 | 30.0 | 0.50 |",
    ]
