"""The table shows medians, their spread, and ratios only where both systems speak the protocol."""

from benchmarks.load.generators import Sample
from benchmarks.load.report import Turn, summarise, table

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
}


def turn(http: float | None, grpc: float | None) -> Turn:
    return Turn(
        http=Sample(1000, http, 1.0, 2.0) if http else None,
        http_alone=Sample(1000, http, 0.25, 0.5) if http else None,
        grpc=Sample(1000, grpc) if grpc else None,
    )


def test_table_of_three_turns() -> None:
    turns = {
        "headrace": [turn(20_000, 18_000), turn(22_000, 17_000), turn(21_000, 19_000)],
        "fastapi": [turn(7_000, None), turn(6_000, None), turn(8_000, None)],
        "grpcaio": [turn(None, 3_000)] * 3,
    }
    page = table(summarise(FACTS, 8, turns))
    assert (
        "| Headrace | 21,000 (20,000 to 22,000) | 0.25 / 0.50 | 18,000 (17,000 to 19,000) | 1.0x / 1.0x |"
        in page
    )
    assert "| 7,000 (6,000 to 8,000) | 0.25 / 0.50 | - | 3.0x / - |" in page
    assert "| grpc.aio, 2 processes | - | - | 3,000 (3,000 to 3,000) | - / 6.0x |" in page
    assert "Medians of 3 turns of 8 s" in page
