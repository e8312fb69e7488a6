"""`headrace settings`: what may stand in a home's `headrace.toml`, what is in force, and what it means."""

from dataclasses import asdict
from typing import Annotated, Any

import typer

from lifecycle.cli.options import HOME, AsJson, Home
from lifecycle.terminal.screen import console, show_json
from lifecycle.terminal.tables import table


def add_to(parent: typer.Typer) -> None:
    parent.command(rich_help_panel="The cluster")(settings)


def settings(
    search: Annotated[str, typer.Argument(metavar="SEARCH", help="Part of a name.")] = "",
    home: Home = HOME,
    as_json: AsJson = False,
) -> None:
    """List the settings of HOME/headrace.toml: what each is, by default and here. Needs no server.

    `gateway.serving.threads` is the key `threads` in the section `[gateway.serving]`.

    Example: `headrace settings memory`
    """
    from lifecycle.cli.settings_file import settings_of  # half of what every other command takes to start

    found = [each for each in settings_of(home.expanduser().resolve()) if search in each.name]
    if as_json:
        show_json([asdict(each) for each in found])
        return
    rows = [(each.name, _word(each.value), _word(each.default), each.meaning) for each in found]
    empty = f"no setting has {search!r} in its name"
    console().print(table(["setting", "here", "default", "meaning"], rows, empty=empty, sentences=1))


def _word(value: Any) -> str:
    if isinstance(value, list | dict):
        return f"{len(value)} of them" if value else ""
    if isinstance(value, bool):
        return str(value).lower()
    return "" if value is None else str(value)
