import json
from pathlib import Path

from benchmarks.scale.commands import Ticks, Took
from benchmarks.scale.report import commands_of, table, ticks_of, write

RESULT = {
    "machine": {
        "date": "2026-01-01",
        "processor": "some",
        "cores": 2,
        "memory_gib": 8,
        "kernel": "6",
        "load_average_before": 0.1,
        "python": "3.11",
        "tools": {"wrk": "wrk 4"},
    },
    "models": 1000,
    "versions": 3,
    "seconds": 10,
    "loads": {
        "one model": {"per_second": 1000.0, "p99_ms": 2.0},
        "1,000 models, all in memory": {"per_second": 900.0, "p99_ms": 2.5},
    },
    "memory": {"all_mib": 240.0, "budget_mib": 120, "loads": 500, "evictions": 400},
    "commands": commands_of([Took("model list", [0.01, 0.03, 0.02])]),
    "ticks": ticks_of({"commands": Ticks({0.01: 99.0, 0.1: 100.0})}),
    "starts_s": {"up, no models": 12.0},
}


def test_the_table_sets_many_models_beside_one() -> None:
    page = table(RESULT)
    assert "| 1,000 models, all in memory | 900 | 90% | 2.50 | 1.25 × |" in page
    assert "| model list | 20 | 30 |" in page
    assert "| commands | 10 | 10 |" in page


def test_both_files_are_written(tmp_path: Path) -> None:
    write(tmp_path / "results", RESULT)
    assert json.loads((tmp_path / "results" / "scale.json").read_text()) == RESULT
    assert "# 1,000 models of 3 versions" in (tmp_path / "results" / "scale.md").read_text()
