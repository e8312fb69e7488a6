"""The result of the swap benchmark as plain data and as a Markdown page."""

import json
from collections.abc import Mapping
from pathlib import Path
from statistics import median
from typing import Any

BAR = 1.1
"""How much higher the 99th percentile may be during swaps."""


def upper_bound(failed: int, requests: int) -> float:
    """The highest failure rate that so many requests leave open at 95 %: the rule of three for none."""
    return (3.0 if failed == 0 else failed + 2 * failed**0.5 + 3) / requests


def passed(result: Mapping[str, Any]) -> bool:
    return all(not seen["failed"] for seen in result["during"].values()) and all(
        ratio <= BAR for ratio in ratios(result).values()
    )


def ratios(result: Mapping[str, Any]) -> dict[str, float]:
    """The 99th percentile during swaps as a multiple of that before, by protocol."""
    before, during = result["before"], result["during"]
    return {name: during[name]["p99_ms"] / before[name]["p99_ms"] for name in during}


def page(result: Mapping[str, Any]) -> str:
    facts, moves = result["machine"], result["moves_s"]
    requests = sum(seen["requests"] for seen in result["during"].values())
    failed = sum(seen["failed"] for seen in result["during"].values())
    rows = [
        f"| {name} | {seen['requests']:,} | {seen['failed']} | {seen['per_second']:,.0f} "
        f"| {result['before'][name]['p99_ms']:.2f} | {seen['p99_ms']:.2f} | {ratios(result)[name]:.2f} |"
        for name, seen in result["during"].items()
    ]
    return "\n".join(
        [
            "# Hot swaps under load",
            "",
            f"{len(moves)} swaps of all traffic between two versions: **{failed} of {requests:,} requests "
            f"failed** (at most {upper_bound(failed, requests):.1e} of all, at 95 %).",
            "",
            "| protocol | requests | failed | requests/s | p99 before (ms) | p99 during swaps (ms) | ratio |",
            "|---|---|---|---|---|---|---|",
            *rows,
            "",
            f"A swap takes {median(moves) * 1e3:.0f} ms (longest {max(moves) * 1e3:.0f} ms), from the "
            "command until every worker has confirmed it; all load and warm the version before it is routed. "
            f"The load is {result['load_share']:.0%} of what the machine answered unhindered, at a fixed "
            "rate; callers and server share its cores.",
            "",
            f"- {facts['date']}: {facts['processor']}, {facts['cores']} cores, {facts['memory_gib']} GiB, "
            f"Linux {facts['kernel']}, load average before {facts['load_average_before']:.2f}",
            f"- Python {facts['python']}; {facts['tools']['h2load']}",
            "",
        ]
    )


def write(folder: Path, result: Mapping[str, Any]) -> None:
    """Write swap.json and swap.md."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "swap.json").write_text(json.dumps(result, indent=2) + "\n", encoding="utf-8")
    (folder / "swap.md").write_text(page(result), encoding="utf-8")
