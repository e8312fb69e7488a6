"""The rules that versions live by: a model's policy, the law of stages, and how long files are kept."""

from typing import Annotated

import typer

from lifecycle.cli.options import URL, AsJson, Name, Url, connect
from lifecycle.core.stages import TRANSITIONS
from lifecycle.terminal.screen import console, show_json, when
from lifecycle.terminal.tables import fields, table


def add_to(parent: typer.Typer, model: typer.Typer, version: typer.Typer) -> None:
    parent.command(rich_help_panel="Care")(collect)
    model.command()(policy)
    version.command()(stages)


def policy(name: Name, url: Url = URL, as_json: AsJson = False) -> None:
    """Show what versions need before they may serve, and whether traffic is frozen now.

    Example: `headrace model policy fraud`
    """
    with connect(url) as client:
        found = client.policy(name)
    if as_json:
        show_json(found)
        return
    people = ", ".join(f"{count} of role {role} or above" for role, count in found["approvals"].items())
    facts = [
        ("approvals", f"{people}, never the submitter" if people else "none: every gate passed is enough"),
        ("required gates", ", ".join(found["gates"])),
        ("signature", found["signature"]),
        ("freeze", found["frozen"]),
    ]
    console().print(fields(facts))


def stages(as_json: AsJson = False) -> None:
    """Print the law of stages: what may happen to a version, and where it leads.

    Example: `headrace version stages`
    """
    rows = [(str(stage), str(event), str(after)) for (stage, event), after in TRANSITIONS.items()]
    if as_json:
        show_json([dict(zip(("stage", "event", "leads_to"), row, strict=True)) for row in rows])
    else:
        console().print(table(["stage", "event", "leads to"], rows, empty="nothing may happen"))


def collect(
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Tell what would go, remove nothing.")] = False,
    url: Url = URL,
    as_json: AsJson = False,
) -> None:
    """Remove files of the artifact store that nothing needs any more, by the rule under `retention`.

    Example: `headrace collect --dry-run`
    """
    with connect(url) as client:
        found = client.collect(dry_run=dry_run)
    if as_json:
        show_json(found)
        return
    if not found["removed"]:
        console().print(f"nothing is over its time; {found['kept']} files stay")
        return
    rows = [(file["digest"], file["size"], when(file["at"])) for file in found["removed"]]
    console().print(table(["digest", "bytes", "stored (UTC)"], rows, empty=""))
    did = "would go" if dry_run else "are gone"
    console().print(f"{len(rows)} files of {found['bytes']} bytes {did}; {found['kept']} stay")
