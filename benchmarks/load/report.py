"""Medians, ratios and the facts a reader needs to judge them, as JSON and as a table."""

import json
import os
import platform
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from statistics import median
from typing import Any

import psutil

from benchmarks.load.generators import Sample

TITLES = {
    "headrace": "Headrace",
    "fastapi": "FastAPI + uvicorn, 2 workers",
    "grpcaio": "grpc.aio, 2 processes",
    "rayserve": "Ray Serve, best flags, 2 replicas",
}
ABSENT = "-"
PROTOCOLS = ("http", "grpc")
LIBRARIES = ("ray", "onnxruntime", "fastapi", "uvicorn", "uvloop", "httptools", "orjson", "numpy")


@dataclass(frozen=True, slots=True)
class Turn:
    """One system's measurements in one turn; None where it does not speak the protocol."""

    http: Sample | None
    http_alone: Sample | None
    grpc: Sample | None


def machine() -> dict[str, Any]:
    """Processor, memory, kernel, versions and date of this run."""
    lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    models = [line.split(":")[1].strip() for line in lines if line.startswith("model name")]
    return {
        "date": datetime.now(UTC).date().isoformat(),
        "processor": models[0] if models else platform.processor(),
        "cores": os.cpu_count(),
        "memory_gib": round(psutil.virtual_memory().total / 2**30),
        "kernel": platform.release(),
        "python": platform.python_version(),
        "libraries": {name: version(name) for name in LIBRARIES},
        "tools": {"wrk": _first_line("wrk", "-v"), "h2load": _first_line("h2load", "--version")},
        "load_average_before": os.getloadavg()[0],
    }


def summarise(facts: Mapping[str, Any], seconds: int, turns: Mapping[str, Sequence[Turn]]) -> dict[str, Any]:
    """The whole result as plain data: every sample, and the medians the table shows."""
    return {
        "machine": dict(facts),
        "seconds": seconds,
        "samples": {name: [asdict(turn) for turn in done] for name, done in turns.items()},
        "medians": {name: _medians(done) for name, done in turns.items()},
    }


def table(result: Mapping[str, Any]) -> str:
    """A Markdown page: one row per system, rates with their lowest and highest turn, and ratios."""
    facts, medians = result["machine"], result["medians"]
    rows = [
        "| system | HTTP JSON, 32 connections (req/s) | HTTP, 1 connection: p50 / p99 (ms) "
        "| gRPC, 32 streams (req/s) | Headrace is, HTTP / gRPC |",
        "|---|---|---|---|---|",
    ]
    for name, seen in medians.items():
        latency = f"{seen['p50_ms']:.2f} / {seen['p99_ms']:.2f}" if seen["p50_ms"] else ABSENT
        ratios = [_ratio(medians.get("headrace", {}).get(protocol), seen[protocol]) for protocol in PROTOCOLS]
        rates = [_rate(result, name, protocol) for protocol in PROTOCOLS]
        rows.append(f"| {TITLES[name]} | {rates[0]} | {latency} | {rates[1]} | {' / '.join(ratios)} |")
    versions = ", ".join(f"{name} {number}" for name, number in facts["libraries"].items())
    return "\n".join(
        [
            "# Throughput of one small model",
            "",
            *rows,
            "",
            f"Medians of {len(next(iter(result['samples'].values())))} turns of {result['seconds']} s in "
            "alternating order, lowest and highest in brackets. Logistic regression, one row of 30 FP32 "
            "features. Load generator and server share the machine.",
            "",
            f"- {facts['date']}: {facts['processor']}, {facts['cores']} cores, {facts['memory_gib']} GiB, "
            f"Linux {facts['kernel']}, load average before {facts['load_average_before']:.2f}",
            f"- Python {facts['python']}, {versions}",
            f"- {facts['tools']['wrk']}; {facts['tools']['h2load']}",
            "",
        ]
    )


def write(folder: Path, result: Mapping[str, Any]) -> None:
    """Write throughput.json and throughput.md into `folder`."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "throughput.json").write_text(json.dumps(result, indent=2) + "\n", encoding="utf-8")
    (folder / "throughput.md").write_text(table(result), encoding="utf-8")


def _medians(turns: Sequence[Turn]) -> dict[str, float | None]:
    http = [turn.http.per_second for turn in turns if turn.http]
    alone = [turn.http_alone for turn in turns if turn.http_alone]
    grpc = [turn.grpc.per_second for turn in turns if turn.grpc]
    return {
        "http": median(http) if http else None,
        "p50_ms": median(sample.p50_ms or 0.0 for sample in alone) if alone else None,
        "p99_ms": median(sample.p99_ms or 0.0 for sample in alone) if alone else None,
        "grpc": median(grpc) if grpc else None,
    }


def _ratio(ours: float | None, theirs: float | None) -> str:
    return f"{ours / theirs:.1f}x" if ours and theirs else ABSENT


def _rate(result: Mapping[str, Any], name: str, protocol: str) -> str:
    rates = [turn[protocol]["per_second"] for turn in result["samples"][name] if turn[protocol]]
    if not rates:
        return ABSENT
    return f"{median(rates):,.0f} ({min(rates):,.0f} to {max(rates):,.0f})"


def _first_line(*command: str) -> str:
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    return (done.stdout or done.stderr).splitlines()[0].split("  Copyright")[0].split(" [")[0]
