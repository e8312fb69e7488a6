"""The result of the swap benchmark as plain data and as a Markdown page."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from statistics import median
from typing import Any

Turn = Mapping[str, Mapping[str, Any]]
"""What each protocol's callers saw, as plain data."""

BAR = 1.1
"""How much higher the 99th percentile may be during swaps."""


def upper_bound(failed: int, requests: int) -> float:
    """The highest failure rate that so many requests leave open at 95 %: the rule of three for none."""
    return (3.0 if failed == 0 else failed + 2 * failed**0.5 + 3) / requests


def passed(result: Mapping[str, Any]) -> bool:
    failed = _failed([*result["calm"], *result["swapping"]])
    return not failed and all(ratio <= BAR for ratio in ratios(result).values())


def ratios(result: Mapping[str, Any]) -> dict[str, float]:
    """By protocol, the median over turns of the 99th percentile with swaps as a multiple of that without."""
    return {
        name: median(
            swapping[name]["p99_ms"] / calm[name]["p99_ms"]
            for calm, swapping in zip(result["calm"], result["swapping"], strict=True)
        )
        for name in result["swapping"][0]
    }


def told(calm: Turn, swapping: Turn) -> str:
    """One turn in a line."""
    return ", ".join(
        f"{name} p99 {calm[name]['p99_ms']:.2f} ms, {swapping[name]['p99_ms']:.2f} ms with swaps"
        for name in swapping
    )


def page(result: Mapping[str, Any]) -> str:
    facts, moves, swapping = result["machine"], result["moves_s"], result["swapping"]
    requests = sum(seen["requests"] for turn in swapping for seen in turn.values())
    failed = _failed(swapping)
    rows = [
        f"| {name} | {sum(turn[name]['requests'] for turn in swapping):,} "
        f"| {sum(turn[name]['failed'] for turn in swapping)} "
        f"| {_median(swapping, name, 'per_second'):,.0f} | {_median(result['calm'], name, 'p99_ms'):.2f} "
        f"| {_median(swapping, name, 'p99_ms'):.2f} | {ratio:.2f} |"
        for name, ratio in ratios(result).items()
    ]
    return "\n".join(
        [
            "# Hot swaps under load",
            "",
            f"{len(moves)} swaps of all traffic between two versions: **{failed} of {requests:,} requests "
            f"failed** (at most {upper_bound(failed, requests):.1e} of all, at 95 %).",
            "",
            "| protocol | requests | failed | requests/s | p99 without (ms) | p99 with swaps (ms) | ratio |",
            "|---|---|---|---|---|---|---|",
            *rows,
            "",
            f"Medians of {len(swapping)} turns without and {len(swapping)} with swaps, in alternation; the "
            "ratio is the median of each turn's beside the one before it. "
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


def _failed(turns: Sequence[Turn]) -> int:
    return sum(seen["failed"] for turn in turns for seen in turn.values())


def _median(turns: Sequence[Turn], protocol: str, figure: str) -> float:
    return float(median(turn[protocol][figure] for turn in turns))


def write(folder: Path, result: Mapping[str, Any]) -> None:
    """Write swap.json and swap.md."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "swap.json").write_text(json.dumps(result, indent=2) + "\n", encoding="utf-8")
    (folder / "swap.md").write_text(page(result), encoding="utf-8")
