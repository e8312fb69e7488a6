"""Runs the story on a fresh Headrace and tells how it went."""

import shutil
import tempfile
import time
from pathlib import Path

from rich.console import Console

from lifecycle.demo.display import Display
from lifecycle.demo.facts import Facts
from lifecycle.demo.processes import Cluster
from lifecycle.demo.report import render
from lifecycle.demo.story import DidNotHappen, Story
from lifecycle.errors import LifecycleCode, LifecycleError
from lifecycle.terminal.screen import console as screen
from lifecycle.terminal.tables import fields, table


def main(*, keep: bool, home: Path | None, report: Path, ports: tuple[int, int, int]) -> int:
    """Run the demo; gives the exit status. Raises LifecycleError INVALID for a report that has no folder.

    Args:
        keep: leave the cluster up, to look around.
        home: where it keeps its state; if None a new folder, which goes when all went well and nothing stays
            up.
        report: where the HTML report goes.
        ports: HTTP, gRPC and admin.
    """
    if not report.absolute().parent.is_dir():
        raise LifecycleError(LifecycleCode.INVALID, f"there is no folder for the report {report}")
    console = screen()
    temporary = home is None
    home = home or Path(tempfile.mkdtemp(prefix="headrace-demo-"))
    facts = Facts(time.time())
    display = Display(console, facts)
    cluster = Cluster(home / "home", "127.0.0.1", *ports)
    try:
        with display.shown():
            with display.step("Start Ray, two gateway workers, the edge and the controller") as step:
                cluster.up()
                step.detail = f"watch it at {cluster.admin}"
            facts.started_at = time.time()
            Story(cluster, home / "models", facts, display).tell()
            _count(facts)
        problem = ""
    except (DidNotHappen, LifecycleError, RuntimeError) as error:
        problem = str(error)
    finally:
        if not keep and cluster.started:
            cluster.down()
    if facts.seconds:
        report.write_text(render(facts, problem))
        _close(console, facts, report)
    if problem:
        console.print(f"the demo did not go as it should: {problem}", style="bold red", soft_wrap=True)
        console.print(f"what it wrote is in {home}", soft_wrap=True)
    elif temporary and not keep:
        shutil.rmtree(home, ignore_errors=True)
    if keep and cluster.started:
        console.print(f"still up: {cluster.admin} (end it with: headrace down --home {cluster.home})")
    elif facts.seconds:
        console.print("to look around in what it made: headrace demo --keep")
    return 1 if problem else 0


def _count(facts: Facts) -> None:
    swaps = sum("promoted" in moment.what or "rolled back" in moment.what for moment in facts.moments)
    facts.totals = {
        "Requests": f"{facts.sent:,}",
        "Failures": str(facts.failed),
        "Swaps": str(swaps + 1),
    } | facts.totals
    if facts.failed:
        reason, count = facts.reasons.most_common(1)[0]
        raise DidNotHappen(f"{facts.failed} of {facts.sent} requests failed, {count} of them: {reason}")


def _close(console: Console, facts: Facts, report: Path) -> None:
    told = [(f"{moment.at - facts.started_at:6.1f} s", moment.what) for moment in facts.moments]
    console.print(table(["timeline", ""], told, empty=""))
    console.print()
    console.print(fields(facts.totals.items()))
    console.print()
    console.print(f"report: {report}", soft_wrap=True)
