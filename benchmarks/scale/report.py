"""The result as JSON and as a table, with the bars that it has to reach."""

import json
from collections.abc import Mapping
from pathlib import Path
from statistics import median
from typing import Any

from benchmarks.scale.commands import Ticks, Took

BARS = {"throughput": 0.8, "p99": 1.5, "command_s": 0.2, "tick_s": 0.1}


def commands_of(found: list[Took]) -> dict[str, dict[str, float]]:
    return {
        took.command: {"median_ms": median(took.seconds) * 1e3, "longest_ms": max(took.seconds) * 1e3}
        for took in found
    }


def ticks_of(found: Mapping[str, Ticks]) -> dict[str, dict[str, float]]:
    return {
        phase: {"p50_ms": ticks.quantile(0.5) * 1e3, "p99_ms": ticks.quantile(0.99) * 1e3}
        for phase, ticks in found.items()
    }


def table(result: Mapping[str, Any]) -> str:
    facts, loads = result["machine"], result["loads"]
    one = loads["one model"]
    rows = ["| traffic | inferences/s | of one model | p99 (ms) | of one model |", "|---|---|---|---|---|"]
    for name, seen in loads.items():
        share, p99 = seen["per_second"] / one["per_second"], seen["p99_ms"] / one["p99_ms"]
        rows.append(
            f"| {name} | {seen['per_second']:,.0f} | {share:.0%} | {seen['p99_ms']:.2f} | {p99:.2f} × |"
        )
    rows += ["", f"Bars, with all in memory: ≥ {BARS['throughput']:.0%} and ≤ {BARS['p99']} ×.", ""]
    rows += ["| command | median (ms) | longest (ms) |", "|---|---|---|"]
    for command, took in result["commands"].items():
        rows.append(f"| {command} | {took['median_ms']:.0f} | {took['longest_ms']:.0f} |")
    rows += ["", f"Bar: {BARS['command_s'] * 1e3:.0f} ms for all but registering, which inspects.", ""]
    rows += ["| controller's tick | p50 (ms) ≤ | p99 (ms) ≤ |", "|---|---|---|"]
    for phase, tick in result["ticks"].items():
        rows.append(f"| {phase} | {tick['p50_ms']:.0f} | {tick['p99_ms']:.0f} |")
    rows += ["", f"Bar: {BARS['tick_s'] * 1e3:.0f} ms. Bounds are those of the metric's buckets.", ""]
    rows += ["| start | seconds |", "|---|---|"]
    rows += [f"| {what} | {seconds:.1f} |" for what, seconds in result["starts_s"].items()]
    memory = result["memory"]
    return "\n".join(
        [
            f"# {result['models']:,} models of {result['versions']} versions on one gateway",
            "",
            *rows,
            "",
            f"All versions take {memory['all_mib']:.0f} MiB of each worker, as measured. With a budget of "
            f"{memory['budget_mib']} MiB, {memory['loads']:,} loads and {memory['evictions']:,} evictions "
            "came with the traffic of the last row; no request failed.",
            "",
            "Logistic regression, one row of 30 FP32 features, HTTP JSON, 32 connections, "
            f"{result['seconds']} s each; every request to a model drawn at random, whose traffic is split "
            "evenly among its versions. Load generator and server share the machine.",
            "",
            f"- {facts['date']}: {facts['processor']}, {facts['cores']} cores, {facts['memory_gib']} GiB, "
            f"Linux {facts['kernel']}, load average before {facts['load_average_before']:.2f}",
            f"- Python {facts['python']}; {facts['tools']['wrk']}",
            "",
        ]
    )


def write(folder: Path, result: Mapping[str, Any]) -> None:
    """Write scale.json and scale.md into `folder`."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "scale.json").write_text(json.dumps(result, indent=2) + "\n", encoding="utf-8")
    (folder / "scale.md").write_text(table(result), encoding="utf-8")
