"""`headrace traffic` and `headrace rollback`: who answers, and how much of it."""

from typing import Annotated, Any

import typer

from lifecycle.cli.options import URL, AsJson, IfRevision, Name, Url, connect
from lifecycle.errors import LifecycleCode, LifecycleError
from lifecycle.terminal.screen import Steps, console, shares, show_json
from lifecycle.terminal.tables import table

app = typer.Typer(help="See and set how a model's traffic is shared.", no_args_is_help=True)


def add_to(parent: typer.Typer) -> None:
    parent.command(rich_help_panel="Traffic")(rollback)


@app.command()
def show(name: Name, url: Url = URL, as_json: AsJson = False) -> None:
    """Show who answers for a model, and what they did in the last minute or two.

    Example: `headrace traffic show fraud`
    """
    with connect(url) as client:
        traffic = client.traffic(name)
    _show(traffic, as_json)
    if traffic["rates"] and not as_json:
        headings = ["seen", "as", "requests/s", "errors", "not finite", "p50", "p99"]
        console().print(table(headings, map(_seen, traffic["rates"]), empty=""))


@app.command("set")
def set_traffic(
    name: Name,
    weights: Annotated[
        list[str], typer.Argument(metavar="VERSION=PERCENT", help="One or more, which sum to 100.")
    ],
    shadow: Annotated[
        list[str] | None, typer.Option(metavar="VERSION", help="A version that gets copies; may repeat.")
    ] = None,
    no_shadow: Annotated[bool, typer.Option("--no-shadow", help="Stop all copies.")] = False,
    if_revision: IfRevision = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Check it, change nothing.")] = False,
    url: Url = URL,
    as_json: AsJson = False,
) -> None:
    """Share a model's traffic among its versions. Returns when every worker follows.

    Example: `headrace traffic set fraud 1=90 2=10 --shadow 3`
    """
    shared = parse_weights(weights)
    steps = Steps(as_json)
    with connect(url) as client, steps.step("Setting the traffic", "checked" if dry_run else "switched"):
        traffic = client.at_revision(if_revision).set_traffic(
            name,
            shared,
            shadows=[] if no_shadow else shadow or None,
            dry_run=dry_run,
        )
    _show(traffic, as_json)


def rollback(name: Name, if_revision: IfRevision = None, url: Url = URL, as_json: AsJson = False) -> None:
    """Give all traffic back to the champion before this one.

    Example: `headrace rollback fraud`
    """
    steps = Steps(as_json)
    with connect(url) as client, steps.step("Rolling back", "switched"):
        traffic = client.at_revision(if_revision).rollback(name)
    _show(traffic, as_json)


def parse_weights(texts: list[str]) -> dict[str, float]:
    """`["1=90", "canary=10"]` as `{"1": 90.0, "canary": 10.0}`. Raises LifecycleError INVALID."""
    weights: dict[str, float] = {}
    for text in texts:
        version, _, percent = text.partition("=")
        try:
            share = float(percent.removesuffix("%"))
        except ValueError:
            message = f"{text!r} is not VERSION=PERCENT; write e.g. `1=90 2=10`"
            raise LifecycleError(LifecycleCode.INVALID, message) from None
        if version in weights:
            raise LifecycleError(LifecycleCode.INVALID, f"version {version} is given twice")
        weights[version] = share
    return weights


def _show(traffic: dict[str, Any], as_json: bool) -> None:
    if as_json:
        show_json(traffic)
        return
    rows: list[tuple[object, ...]] = [
        (version, "champion" if int(version) == traffic["champion"] else "canary", f"{percent:g} %")
        for version, percent in traffic["weights"].items()
    ]
    rows += [(version, "shadow", "copies") for version in traffic["shadows"]]
    screen = console()
    screen.print(table(["version", "role", "traffic"], rows, empty=f"{traffic['model']} has no traffic yet"))
    if traffic["weights"]:
        screen.print(f"set it with: headrace traffic set {traffic['model']} {shares(traffic['weights'])}")
    screen.print(_confirmation(traffic))


def _seen(rates: dict[str, Any]) -> tuple[object, ...]:
    return (
        rates["version"],
        rates["role"],
        f"{rates['requests_per_s']:.4g}",
        f"{rates['error_rate']:.2%}",
        f"{rates['invalid_rate']:.2%}",
        *(None if ms is None else f"{ms:.3g} ms" for ms in (rates["p50_ms"], rates["p99_ms"])),
    )


def _confirmation(traffic: dict[str, Any]) -> str:
    revision = f"revision {traffic['revision']}"
    if "confirmed" not in traffic:
        return revision
    if traffic["dry_run"]:
        held = f", but {traffic['frozen']}" if traffic["frozen"] else ""
        return f"nothing was changed; this would be {revision}{held}"
    if traffic["confirmed"]:
        return f"{revision}, confirmed by every worker in {traffic['confirm_seconds'] * 1000:.0f} ms"
    return f"{revision}; not every worker has confirmed it yet, see `headrace status`"
