"""`headrace rollout`: start one, watch it, and step in."""

import time
from typing import Annotated, Any

import typer
from rich.live import Live

from lifecycle.cli.follow import POLL_S, leaving, once_known
from lifecycle.cli.forecast_text import draw_forecast
from lifecycle.cli.options import URL, AsJson, IfRevision, Name, Number, Url, connect
from lifecycle.cli.plans import Plan, read_plan
from lifecycle.cli.rollout_text import describe, draw
from lifecycle.client import Client
from lifecycle.terminal.screen import Steps, console, show_json
from lifecycle.terminal.screen import show as show_line

app = typer.Typer(help="Bring a version into traffic step by step.", no_args_is_help=True)


@app.command()
def start(
    name: Name,
    number: Number,
    plan: Plan = "",
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Say how long it would take and what it would catch; no more.")
    ] = False,
    if_revision: IfRevision = None,
    url: Url = URL,
    as_json: AsJson = False,
) -> None:
    """Start the rollout of an approved version.

    A plan's file may guard business metrics with `[[guard]]`: see docs/rollouts.md.

    Example: `headrace rollout start fraud 2 --plan cautious --dry-run`
    """
    with connect(url) as client:
        if not dry_run:
            _show_line(client.at_revision(if_revision).start_rollout(name, number, read_plan(plan)), as_json)
            if not as_json:
                show_line(f"  follow it with `headrace rollout watch {name}`")
            return
        told = client.forecast(name, number, read_plan(plan))
    if as_json:
        show_json(told)
    else:
        console().print(draw_forecast(told))


@app.command()
def show(name: Name, url: Url = URL, as_json: AsJson = False) -> None:
    """Show the latest rollout: its share, its guards and how near they are to a decision.

    Example: `headrace rollout show fraud`
    """
    with connect(url) as client:
        rollout, traffic = client.rollout(name), client.traffic(name)
    if as_json:
        show_json(rollout)
    else:
        console().print(draw(rollout, traffic))


@app.command()
def watch(name: Name, url: Url = URL, as_json: AsJson = False) -> None:
    """Follow the latest rollout to its end. Exits 1 if it did not promote.

    Not on a terminal: a line whenever something changes. With `--json` only the end is printed.

    Example: `headrace rollout watch fraud`
    """
    with connect(url) as client, leaving(name):
        if console().is_terminal and not as_json:
            rollout = _watch_live(client, name)
        else:
            rollout = _watch_lines(client, name, quiet=as_json)
    if as_json:
        show_json(rollout)
    if rollout["phase"] != "promoted":
        raise typer.Exit(1)


def _watch_live(client: Client, name: str) -> dict[str, Any]:
    def look() -> tuple[dict[str, Any], dict[str, Any]]:
        return client.rollout(name), client.traffic(name)

    rollout, traffic = look()
    with Live(draw(rollout, traffic), console=console(), auto_refresh=False) as live:
        while rollout["active"]:
            time.sleep(POLL_S)
            rollout, traffic = once_known(look, live.console.print)
            live.update(draw(rollout, traffic), refresh=True)
    return rollout


def _watch_lines(client: Client, name: str, *, quiet: bool) -> dict[str, Any]:
    seen, rollout, steps = "", client.rollout(name), Steps(quiet)
    while True:
        if (line := describe(rollout)) != seen and not quiet:
            seen = line
            show_line(line)
        if not rollout["active"]:
            return rollout
        time.sleep(POLL_S)
        rollout = once_known(lambda: client.rollout(name), steps.waits)


@app.command()
def pause(name: Name, if_revision: IfRevision = None, url: Url = URL, as_json: AsJson = False) -> None:
    """Hold the rollout at its present share. A failed guard still rolls it back.

    Example: `headrace rollout pause fraud`
    """
    with connect(url) as client:
        _show_line(client.at_revision(if_revision).pause(name), as_json)


@app.command()
def resume(name: Name, if_revision: IfRevision = None, url: Url = URL, as_json: AsJson = False) -> None:
    """Let a paused rollout go on.

    Example: `headrace rollout resume fraud`
    """
    with connect(url) as client:
        _show_line(client.at_revision(if_revision).resume(name), as_json)


@app.command()
def promote(name: Name, if_revision: IfRevision = None, url: Url = URL, as_json: AsJson = False) -> None:
    """Give the version all traffic now, without the rest of the plan.

    Example: `headrace rollout promote fraud`
    """
    with connect(url) as client:
        _show_line(client.at_revision(if_revision).promote(name), as_json)
    if not as_json:
        show_line(f"  it gets all traffic once every worker has it: `headrace rollout watch {name}`")


@app.command()
def abort(name: Name, if_revision: IfRevision = None, url: Url = URL, as_json: AsJson = False) -> None:
    """End the rollout and give all traffic back to the champion.

    Example: `headrace rollout abort fraud`
    """
    with connect(url) as client:
        _show_line(client.at_revision(if_revision).abort(name), as_json)


def _show_line(rollout: dict[str, Any], as_json: bool) -> None:
    if as_json:
        show_json(rollout)
    else:
        show_line(describe(rollout))
