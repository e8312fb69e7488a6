"""A bar is met by a ratio of throughput at or over it, or of latency below it."""

import pytest

from benchmarks.load.bars import BARS, Bar, Measure
from benchmarks.load.cases import CASES
from benchmarks.load.peers import SYSTEMS


@pytest.mark.parametrize(
    ("measure", "factor", "ours", "theirs", "verdict"),
    [
        ("per_second", 2.5, 25.0, 10.0, "met"),
        ("per_second", 2.5, 24.9, 10.0, "missed"),
        ("per_second", 0.2, 2.0, 10.0, "met"),
        ("p99_ms", 1, 0.9, 1.0, "met"),
        ("p99_ms", 1, 1.0, 1.0, "missed"),
        ("p99_ms", 1, 0.9, None, "not measured"),
        ("p99_ms", 1, None, 0.9, "not measured"),
    ],
)
def test_verdicts(
    measure: Measure, factor: float, ours: float | None, theirs: float | None, verdict: str
) -> None:
    bar = Bar("json", "triton", factor, measure)
    assert (
        bar.verdict({"headrace": {"json": {measure: ours}}, "triton": {"json": {measure: theirs}}}) == verdict
    )


def test_what_was_not_run_is_not_measured() -> None:
    assert Bar("json", "triton", 1).verdict({"triton": {"json": {"per_second": 1.0}}}) == "not measured"


def test_every_bar_is_of_a_case_that_its_peer_can_run() -> None:
    assert [bar for bar in BARS if bar.case not in SYSTEMS[bar.peer].cases] == []
    assert {case for system in SYSTEMS.values() for case in system.cases} == set(CASES)
