"""Medians, ratios and verdicts of a run, as JSON, as a page of tables and as a plot."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import median
from typing import Any, get_args

from benchmarks.load import plot
from benchmarks.load.bars import BARS, Bar, Measure, Medians
from benchmarks.load.cases import CASES
from benchmarks.load.generators import Sample
from benchmarks.load.peers import SYSTEMS
from benchmarks.load.turns import Turn

ABSENT = "-"
REASON = 300
"""Characters of a failure that the page shows; the JSON file has all."""


@dataclass(frozen=True, slots=True)
class Result:
    """All turns of all systems, the seconds of one measurement, and the facts about the machine."""

    facts: Mapping[str, Any]
    seconds: int
    turns: Mapping[str, Sequence[Turn]]

    def samples(self, system: str, case: str) -> list[Sample]:
        return [turn.samples[case] for turn in self.turns[system] if case in turn.samples]

    def medians(self) -> Medians:
        return {
            system: {case: _median(samples) for case in CASES if (samples := self.samples(system, case))}
            for system in self.turns
        }

    def failures(self) -> dict[tuple[str, str], str]:
        """By system, and case or START: the last reason why something was not measured."""
        return {
            (system, what): reason
            for system, turns in self.turns.items()
            for turn in turns
            for what, reason in turn.failures.items()
        }


def told(turn: Turn) -> str:
    """A turn in a line or more, for those who watch."""
    rates = [f"{case} {sample.per_second:,.0f}/s" for case, sample in turn.samples.items()]
    return ", ".join(rates) + "".join(f"\n  {what} FAILED: {why}" for what, why in turn.failures.items())


def write(folder: Path, result: Result) -> None:
    """Write throughput.json, throughput.md and throughput.svg into `folder`; without a plot if that fails."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "throughput.md").write_text(page(result), encoding="utf-8")
    told = {
        "machine": result.facts,
        "seconds": result.seconds,
        "turns": {system: [asdict(turn) for turn in turns] for system, turns in result.turns.items()},
        "medians": result.medians(),
        "bars": [{**asdict(bar), "verdict": bar.verdict(result.medians())} for bar in BARS],
    }
    (folder / "throughput.json").write_text(json.dumps(told, indent=1) + "\n", encoding="utf-8")
    charts = _charts(result.medians())
    try:
        if charts:
            plot.draw(charts, folder / "throughput.svg")
    except RuntimeError as failure:
        print(f"no plot: {failure}")


def page(result: Result) -> str:
    """The page in Markdown: bars with their verdicts, then a table for each case, then the facts."""
    medians = result.medians()
    return "\n".join(
        [
            "# Headrace beside other servers",
            "",
            *_bars(medians),
            *(line for case in CASES for line in _case(result, medians, case)),
            *_failures(result),
            *_facts(result),
            "",
        ]
    )


def _bars(medians: Medians) -> list[str]:
    rows = [
        f"| {CASES[bar.case].title} | {SYSTEMS[bar.peer].title} | {_wanted(bar)} "
        f"| {_times(bar.reached(medians))} | {bar.verdict(medians)} |"
        for bar in BARS
    ]
    return ["| case | beside | bar | measured | |", "|---|---|---|---|---|", *rows, ""]


def _wanted(bar: Bar) -> str:
    if bar.measure == "per_second":
        return f"≥ {bar.factor:g}x"
    return f"{bar.measure.removesuffix('_ms')} < {bar.factor:g}x"


def _case(result: Result, medians: Medians, case: str) -> list[str]:
    measured = [system for system in medians if case in medians[system]]
    if not measured:
        return []
    measured.sort(key=lambda system: -(medians[system][case]["per_second"] or 0))
    ours = medians.get("headrace", {}).get(case, {}).get("per_second")
    rows = []
    for system in measured:
        seen = medians[system][case]
        rates = [sample.per_second for sample in result.samples(system, case)]
        rate = f"{median(rates):,.0f} ({min(rates):,.0f} to {max(rates):,.0f})"
        theirs = seen["per_second"]
        ratio = _times(ours / theirs if ours and theirs else None)
        latency = f"{_milliseconds(seen['p50_ms'])} | {_milliseconds(seen['p99_ms'])}"
        rows.append(f"| {SYSTEMS[system].title} | {rate} | {latency} | {ratio} |")
    return [
        f"## {CASES[case].title[0].upper()}{CASES[case].title[1:]}",
        "",
        "| system | requests/s | p50 (ms) | p99 (ms) | Headrace is |",
        "|---|--:|--:|--:|--:|",
        *rows,
        "",
    ]


def _failures(result: Result) -> list[str]:
    rows = [
        f"| {SYSTEMS[system].title} | {what} | {_cell(reason)} |"
        for (system, what), reason in result.failures().items()
    ]
    return ["## Not measured", "", "| system | case | reason |", "|---|---|---|", *rows, ""] if rows else []


def _facts(result: Result) -> list[str]:
    facts = result.facts
    peers = [
        f"{title}: {', '.join(f'{name} {number}' for name, number in _named(system, facts).items())}"
        for system, title in ((name, SYSTEMS[name].title) for name in result.turns)
        if _named(system, facts)
    ]
    return [
        f"Medians of {max(len(turns) for turns in result.turns.values())} turns of {result.seconds} s in "
        "alternating order, lowest and highest in brackets. Load generator and server share the machine.",
        "",
        f"- {facts['date']}: {facts['processor']}, {facts['cores']} cores, {facts['memory_gib']} GiB, "
        f"Linux {facts['kernel']}, load average before {facts['load_average_before']:.2f}",
        f"- Python {facts['python']}, {', '.join(f'{name} {v}' for name, v in facts['libraries'].items())}",
        f"- {facts['tools']['wrk']}; {facts['tools']['h2load']}",
        *(f"- {peer}" for peer in peers),
    ]


def _named(system: str, facts: Mapping[str, Any]) -> dict[str, str]:
    """The versions of what a system asks for by name, of all that its environment holds."""
    asked = {
        requirement.partition("[")[0].partition("=")[0].partition("<")[0]
        for requirement in SYSTEMS[system].packages
    }
    installed = facts["packages"].get(system, {})
    return {name: installed[name] for name in sorted(asked) if name in installed}


def _charts(medians: Medians) -> list[plot.Chart]:
    """Throughput of every case, and of the lonely ones the latency."""
    charts = []
    for name, case in CASES.items():
        measure: Measure = "p50_ms" if case.at_once == 1 else "per_second"
        unit = "p50 in ms, lower is better" if case.at_once == 1 else "requests/s"
        values = {
            SYSTEMS[system].title: value
            for system in medians
            if (value := medians[system].get(name, {}).get(measure))
        }
        if values:
            charts.append(plot.Chart(case.title, unit, values))
    return charts


def _median(samples: Sequence[Sample]) -> dict[Measure, float | None]:
    measures: tuple[Measure, ...] = get_args(Measure)
    figures = {measure: [getattr(sample, measure) for sample in samples] for measure in measures}
    return {measure: median(seen) if None not in seen else None for measure, seen in figures.items()}


def _times(ratio: float | None) -> str:
    return f"{ratio:.2f}x" if ratio else ABSENT


def _milliseconds(value: float | None) -> str:
    return f"{value:.2f}" if value else ABSENT


def _cell(reason: str) -> str:
    """What failed, and the end of the log behind it, in one line."""
    first, *log = reason.replace("|", "/").strip().splitlines()
    return " … ".join([first, *log[-1:]])[:REASON]
