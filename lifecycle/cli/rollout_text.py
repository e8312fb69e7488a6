"""A rollout in words and bars, from the API's JSON. Only draws."""

import time
from typing import Any

from rich.console import Group, RenderableType
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from lifecycle.core.moments import duration
from lifecycle.core.verdict import LIVE_GUARDS
from lifecycle.terminal.tables import STYLES, fields, table

Rollout = dict[str, Any]

BAR_WIDTH = 24
HEADINGS = ("guard", "verdict", "evidence", "", "reason and what is missing")


def describe(rollout: Rollout) -> str:
    """One line: the phase, the share and the verdict."""
    line = f"version {rollout['version']}: {rollout['phase']}"
    if steps := _steps(rollout):
        line += f" {steps}"
    line += f", {rollout['weight']:g} % of traffic, {rollout['verdict']}"
    if rollout["paused"]:
        line += ", paused"
    if rollout["frozen"]:
        line += f", {rollout['frozen']}"
    return f"{line} (last move: {rollout['reason']})" if rollout["reason"] else line


def draw(rollout: Rollout, traffic: dict[str, Any]) -> RenderableType:
    """The whole of it: where the rollout stands, the split, and each guard with its progress."""
    parts: list[RenderableType] = [fields(_facts(rollout)), Text(), _split(traffic), Text()]
    guards = map(_judged, rollout["findings"])
    return Group(*parts, table(HEADINGS, guards, empty="no guard has been judged yet", sentences=1))


def _facts(rollout: Rollout) -> list[tuple[str, object]]:
    started = rollout["step_started_at"]
    state = rollout["phase"] + (" (paused)" if rollout["paused"] else "")
    return [
        ("rollout", f"{rollout['model']}: {rollout['champion']} → {rollout['version']}"),
        ("plan", f"{rollout['plan']['name']}{', step ' + _steps(rollout) if _steps(rollout) else ''}"),
        ("phase", state),
        ("in this step", _time_in_step(rollout) if started and rollout["active"] else None),
        ("time left", _time_left(rollout) if rollout["active"] else None),
        ("verdict", rollout["verdict"]),
        ("waits for", _waits_for(rollout) if rollout["active"] else None),
        ("last move", rollout["reason"]),
    ]


def _waits_for(rollout: Rollout) -> str:
    """A freeze's end, a person, requests, or guards with too little evidence that the step asks for."""
    if frozen := str(rollout["frozen"]):
        return frozen
    if rollout["phase"] == "bake":
        return ""
    if rollout["paused"]:
        return f"a person: `headrace rollout resume {rollout['model']}`, `promote` or `abort`"
    last = rollout["step"] == len(rollout["plan"]["steps"]) - 1 and rollout["phase"] == "step"
    if rollout["plan"]["manual"] and last and rollout["verdict"] == "PASS":
        return f"a person: `headrace rollout promote {rollout['model']}`"
    short = [each["name"] for each in rollout["findings"] if each["verdict"] == "INCONCLUSIVE"]
    if rollout["phase"] == "shadow":
        short = [name for name in short if not name.startswith(LIVE_GUARDS)]
    if (step := _step(rollout)) and rollout["step_requests"] < step["min_requests"]:
        short.insert(0, "min_requests")  # the forecast's word for it
    return ", ".join(short)


def _time_in_step(rollout: Rollout) -> str:
    spent = duration(max(time.time() - rollout["step_started_at"], 0))
    if not (step := _step(rollout)):
        return spent
    return (
        f"{spent} of at least {duration(step['min_seconds'])}, "
        f"{rollout['step_requests']} of at least {step['min_requests']} requests"
    )


def _step(rollout: Rollout) -> dict[str, Any] | None:
    """The step in force; none before the first and after the last."""
    number, steps = rollout["step"], rollout["plan"]["steps"]
    return steps[number] if rollout["phase"] != "bake" and 0 <= number < len(steps) else None


def _time_left(rollout: Rollout) -> str | None:
    if rollout["phase"] == "bake":
        over_at, then = (
            rollout["step_started_at"] + rollout["plan"]["bake_seconds"],
            "it is promoted for good",
        )
    elif rollout["deadline_at"] is not None and not rollout["paused"]:
        holds = rollout["plan"]["at_deadline"] == "hold"
        over_at, then = rollout["deadline_at"], "it holds for a person" if holds else "it is rolled back"
    else:
        return None
    return f"{duration(max(over_at - time.time(), 0))}, then {then}"


def _steps(rollout: Rollout) -> str:
    return f"{rollout['step'] + 1}/{len(rollout['plan']['steps'])}" if rollout["step"] >= 0 else ""


def _split(traffic: dict[str, Any]) -> Table:
    grid = Table.grid(padding=(0, 2, 0, 0))
    for version, percent in traffic["weights"].items():
        champion = int(version) == traffic["champion"]
        bar = ProgressBar(total=100, completed=percent, width=BAR_WIDTH, complete_style=_style(champion))
        grid.add_row(f"version {version}", bar, f"{percent:g} %", "champion" if champion else "canary")
    for version in traffic["shadows"]:
        grid.add_row(f"version {version}", "", "copies", "shadow")
    return grid


def _style(champion: bool) -> str:
    return "green" if champion else "yellow"


def _judged(finding: dict[str, Any]) -> tuple[object, ...]:
    """The guard's name, verdict, progress, weight of evidence, and reason."""
    progress = finding["numbers"].get("progress")
    style = STYLES.get(finding["verdict"], "")
    bar: RenderableType = Text()
    if progress is not None:
        bar = ProgressBar(total=1, completed=progress, width=BAR_WIDTH, complete_style=style)
    return finding["name"], finding["verdict"], bar, _weight(finding), finding["reason"]


def _weight(finding: dict[str, Any]) -> Text:
    """The log e-value beside the threshold at which it decides."""
    found, threshold = (finding["numbers"].get(name) for name in ("log_e", "threshold"))
    return Text("" if found is None or threshold is None else f"{max(found, 0):.1f} of {threshold:.1f}")
