"""What the help shows beside an option: what to type, in place of the name of Python's type."""

from collections.abc import Iterator

import typer
from typer.core import TyperGroup, TyperOption

WORDS = {"str": "TEXT", "int": "N", "int range": "N", "file": "FILE", "path": "PATH", "dir": "DIR"}


def name_placeholders(context: typer.Context) -> None:
    """Of a command and of all below it. A switch takes nothing, so nothing is shown."""
    for each in _tree(context):
        for option in each.command.get_params(each):
            if isinstance(option, TyperOption) and option.metavar is None:
                shown = option.display_type(each).strip("<>")
                option.metavar = "" if option.is_flag else WORDS.get(shown, shown)


def _tree(context: typer.Context) -> Iterator[typer.Context]:
    yield context
    if isinstance(context.command, TyperGroup):
        for command in context.command.commands.values():
            yield from _tree(typer.Context(command, parent=context))
