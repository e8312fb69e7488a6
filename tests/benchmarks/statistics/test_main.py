from benchmarks.statistics.__main__ import page


def test_a_page_holds_what_was_printed_and_where() -> None:
    machine: dict[str, object] = {"date": "2031-01-02", "processor": "p", "cores": 2, "kernel": "k"}
    said = page("-m benchmarks.statistics.drift", "\n a\n  b\n", machine)
    assert "```\n a\n  b\n```" in said
    assert "python -m benchmarks.statistics.drift" in said
    assert "2031-01-02: p, 2 cores, Linux k" in said
