from pathlib import Path

from benchmarks.keep import keep


def test_what_a_benchmark_prints_is_kept_with_its_command_and_machine(tmp_path: Path) -> None:
    path = tmp_path / "new" / "compare.md"
    assert keep("textwrap", [], path) == 0
    kept = path.read_text(encoding="utf-8")
    assert kept.startswith("# `python -m textwrap`\n")
    assert "```\nHello there.\n  This is indented.\n```" in kept
    assert "cores, Linux" in kept


def test_a_missed_bar_is_passed_on(tmp_path: Path) -> None:
    assert keep("textwrap_of_nobody", ["--seed", "1"], tmp_path / "none.md") == 1
