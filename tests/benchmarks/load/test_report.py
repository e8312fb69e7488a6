"""The page has a table for each case, verdicts, and every failure, which hides nothing that was measured."""

import json
from pathlib import Path

import pytest

from benchmarks.load.generators import Sample
from benchmarks.load.report import Result, page, told, write
from benchmarks.load.turns import START, Turn

FACTS = {
    "date": "2026-01-01",
    "processor": "Test",
    "cores": 2,
    "memory_gib": 8,
    "kernel": "6",
    "python": "3.11",
    "libraries": {"ray": "2.60.0"},
    "tools": {"wrk": "wrk 4", "h2load": "h2load 1"},
    "load_average_before": 0.1,
    "packages": {"fastapi": {"fastapi": "0.9", "orjson": "3.9", "click": "8.0"}},
}


def turn(json: float, grpc: float | None = None) -> Turn:
    samples = {"json": Sample(1000, json, 1.0, 2.0)}
    return Turn(samples | ({"grpc": Sample(1000, grpc)} if grpc else {}))


@pytest.fixture
def result() -> Result:
    turns = {
        "headrace": [turn(20_000, 18_000), turn(22_000, 17_000), turn(21_000, 19_000)],
        "fastapi": [turn(7_000), Turn(failures={"json": "status 500 | bad"}), turn(8_000)],
        "triton": [Turn(failures={START: "it ended\nlog\nno | libpython"})],
        "grpcaio": [Turn({"grpc": Sample(1000, 3_000)})] * 3,
    }
    return Result(FACTS, 5, turns)


def test_a_case_shows_medians_spread_and_ratio_the_fastest_first(result: Result) -> None:
    lines = page(result).splitlines()
    start = lines.index("## Logistic regression 1×30, HTTP JSON, 32 connections")
    assert lines[start + 4 : start + 6] == [
        "| Headrace | 21,000 (20,000 to 22,000) | 1.00 | 2.00 | 1.00x |",
        "| FastAPI + uvicorn, 2 workers | 7,500 (7,000 to 8,000) | 1.00 | 2.00 | 2.80x |",
    ]


def test_unmeasured_latencies_are_left_out(result: Result) -> None:
    assert "| grpc.aio, 2 processes | 3,000 (3,000 to 3,000) | - | - | 6.00x |" in page(result)


def test_bars_are_printed_with_their_verdicts(result: Result) -> None:
    bars = [line for line in page(result).splitlines() if "HTTP JSON, 32 connections |" in line]
    assert next(line for line in bars if "FastAPI" in line).endswith("| ≥ 3x | 2.80x | missed |")
    assert next(line for line in bars if "Triton" in line).endswith("| ≥ 2.5x | - | not measured |")


def test_failures_are_told_with_the_end_of_their_log(result: Result) -> None:
    lines = page(result).splitlines()
    start = lines.index("## Not measured")
    assert lines[start + 4].endswith("| json | status 500 / bad |")
    assert lines[start + 5].endswith("| start | it ended … no / libpython |")


def test_the_facts_name_what_a_system_asks_for(result: Result) -> None:
    assert "- FastAPI + uvicorn, 2 workers: fastapi 0.9, orjson 3.9" in page(result).splitlines()


def test_those_who_watch_see_rates_and_failures() -> None:
    seen = turn(7_000)
    seen.failures["grpc"] = "refused"
    assert told(seen) == "json 7,000/s\n  grpc FAILED: refused"


def test_results_are_written_even_without_a_plot(
    result: Result, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise RuntimeError("no matplotlib")

    monkeypatch.setattr("benchmarks.load.plot.draw", fail)
    write(tmp_path / "new", result)
    kept = json.loads((tmp_path / "new" / "throughput.json").read_text())
    assert kept["medians"]["fastapi"]["json"]["per_second"] == 7_500
    assert kept["turns"]["triton"][0]["failures"][START].endswith("libpython")
    assert (tmp_path / "new" / "throughput.md").read_text() == page(result)
