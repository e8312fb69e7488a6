"""Rolls out versions that are bad in a known way and counts what it takes until they are out again.

    python -m benchmarks.canary [--runs 10] [--out benchmarks/results]

A real Headrace with its defaults, callers over HTTP, and plans with one step that ends only by a verdict.
Requests (of both arms) and seconds are the callers' own count, from the version's first answer to its last.
The published numbers are of one test at the 5 % level, looked at after every event; here seven guards share
that level, evidence arrives four times a second, and every worker has to follow.
"""

import argparse
import asyncio
import json
import tempfile
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.canary.callers import MODEL, Callers
from benchmarks.canary.models import write
from benchmarks.load.machine import facts as machine_facts
from benchmarks.up import Ports, up
from lifecycle.client import AsyncClient

REFERENCE_S = 3.0
GIVE_UP_S = 300.0
STRICT = {"latency_tolerance": 0.0, "latency_slack_ms": 0.0}
"""A slowdown that a plan tolerates is none; these plans tolerate nothing."""


@dataclass(frozen=True, slots=True)
class Case:
    """One way to be bad, beside the champion's `base`: (error rate, factor on the latency)."""

    name: str
    base: tuple[float, float]
    bad: tuple[float, float]
    work: float
    published: dict[int, str]


CASES = (
    Case("errors 0.5 % to 2 %", (0.005, 1.0), (0.02, 1.0), 50, {10: "2,867 / 7,548", 50: "1,220 / 2,784"}),
    Case("latency x 1.2", (0.0, 1.0), (0.0, 1.2), 2_000, {10: "1,409 / 3,357", 50: "609 / 1,206"}),
)


@dataclass(frozen=True, slots=True)
class Run:
    """From the first answer of a bad version to its last; `late_s` of the seconds came after the verdict."""

    requests: int
    seconds: float
    late_s: float
    guards: tuple[str, ...]


def main() -> None:
    raw = argparse.RawDescriptionHelpFormatter
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=raw)
    parser.add_argument("--runs", type=int, default=10, help="of each case and share")
    parser.add_argument("--connections", type=int, default=2)
    parser.add_argument("--out", type=Path, default=Path(__file__).parents[1] / "results")
    options = parser.parse_args()
    facts = machine_facts()
    with tempfile.TemporaryDirectory(prefix="headrace-canary-") as name, ExitStack() as stack:
        ports = stack.enter_context(up(Path(name) / "home"))
        found = asyncio.run(_measure(ports, options.runs, options.connections, Path(name)))
    options.out.mkdir(parents=True, exist_ok=True)
    (options.out / "canary.json").write_text(json.dumps({"machine": facts, "cases": found}, indent=2) + "\n")
    told = page(facts, found)
    (options.out / "canary.md").write_text(told)
    print(told)


async def _measure(ports: Ports, runs: int, connections: int, folder: Path) -> list[dict[str, Any]]:
    found, number = [], 0
    async with AsyncClient(ports.admin_url, timeout_s=60) as client:
        for case in CASES:
            number = await _enthrone(client, case, number + 1, folder)
            async with Callers(ports.http, connections, case.work, seed=number) as callers:
                for share in case.published:
                    done = []
                    for _ in range(runs):
                        number += 1
                        done.append(await _run(client, callers, case, share, number, folder))
                        print(f"{case.name}, {share} %: {done[-1]}", flush=True)
                    found.append({"case": case.name, "share": share, "runs": [asdict(run) for run in done]})
    return found


async def _enthrone(client: AsyncClient, case: Case, number: int, folder: Path) -> int:
    """Give all traffic to a version that is as the case's champion should be."""
    artifact = write(folder / f"{number}.onnx", *case.base, number)
    await client.register(MODEL, artifact, number=number)
    await client.validate(MODEL, number)
    await client.set_traffic(MODEL, {number: 100})
    return number


async def _run(
    client: AsyncClient, callers: Callers, case: Case, share: int, number: int, folder: Path
) -> Run:
    artifact = write(folder / f"{number}.onnx", *case.bad, number)
    await client.register(MODEL, artifact, number=number)
    await client.validate(MODEL, number)
    await asyncio.sleep(REFERENCE_S)
    since = len(callers.answers.at)
    step = {"weight": share, "min_seconds": 2 * GIVE_UP_S}
    plan = {"name": "watch", "steps": [step], "deadline_seconds": GIVE_UP_S, "guards": STRICT}
    rollout = await client.start_rollout(MODEL, number, plan)
    while rollout["active"]:
        await asyncio.sleep(0.1)
        callers.check()
        rollout = await client.rollout(MODEL)
    await asyncio.sleep(1.0)
    failed = tuple(finding["name"] for finding in rollout["findings"] if finding["verdict"] == "FAIL")
    if not failed:
        raise RuntimeError(f"{case.name} at {share} % was not found: {rollout['reason']}")
    requests, seconds = callers.answers.between(number, since)
    last = max(at for at, who in zip(*_since(callers, since), strict=True) if who == number)
    return Run(requests, seconds, max(last - rollout["decided_at"], 0.0), failed)


def _since(callers: Callers, start: int) -> tuple[Sequence[float], Sequence[int]]:
    return callers.answers.at[start:], callers.answers.version[start:]


def page(facts: dict[str, Any], found: list[dict[str, Any]]) -> str:
    """The runs as a Markdown page, beside the published numbers."""
    published = {(case.name, share): told for case in CASES for share, told in case.published.items()}
    rows = []
    for row in found:
        runs = row["runs"]
        requests, seconds, late = ([run[name] for run in runs] for name in ("requests", "seconds", "late_s"))
        rows.append(
            f"| {row['case']} | {row['share']} % | {len(runs)} | {_two(requests, ',.0f')} "
            f"| {published[row['case'], row['share']]} | {_two(seconds, '.1f')} | {max(late):.2f} |"
        )
    return "\n".join(
        [
            "# Bad canaries on a real cluster",
            "",
            "| canary | share | runs | requests until out, median / p90 | published for one test "
            "| seconds, median / p90 | longest from verdict to last answer (s) |",
            "|---|---|---|---|---|---|---|",
            *rows,
            "",
            "Requests of both arms and seconds run from the bad version's first answer to its last, as "
            "callers count them. Seven guards share the 5 % level that the published numbers give to one; "
            "evidence comes four times a second.",
            "",
            f"- {facts['date']}: {facts['processor']}, {facts['cores']} cores, {facts['memory_gib']} GiB, "
            f"Linux {facts['kernel']}, load average before {facts['load_average_before']:.2f}",
            "",
        ]
    )


def _two(values: Sequence[float], form: str) -> str:
    return " / ".join(format(float(np.quantile(values, q)), form) for q in (0.5, 0.9))


if __name__ == "__main__":
    main()
