"""Puts the commands together, and turns every failure into one line and an exit code."""

import sys
from collections.abc import Sequence
from importlib.metadata import version
from io import TextIOWrapper
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from lifecycle.cli import (
    audit,
    catalogue,
    cluster,
    example,
    governance,
    logs,
    observe,
    serving,
    settings,
    signing,
    traffic,
)
from lifecycle.cli.keys import app as key_app
from lifecycle.cli.models import app as model_app
from lifecycle.cli.options import KEY, OVERRIDE
from lifecycle.cli.placeholders import name_placeholders
from lifecycle.cli.rollouts import app as rollout_app
from lifecycle.cli.traffic import app as traffic_app
from lifecycle.cli.versions import app as version_app
from lifecycle.errors import LifecycleError
from lifecycle.terminal.screen import harmless

PANELS = ("The cluster", "Models and versions", "Traffic", "How well it does", "Care")
"""Of the help, in the order in which one comes to need them."""

COMMON = ("--key", "--override")
"""Options of `headrace` itself."""


class Panels(TyperGroup):
    """The commands by panel: by itself Typer puts groups of commands last."""

    def __init__(self, **settings: Any) -> None:
        super().__init__(**settings)
        panels = {name: getattr(command, "rich_help_panel", None) for name, command in self.commands.items()}
        order = sorted(panels, key=lambda name: PANELS.index(panels[name]))
        self.commands = {name: self.commands[name] for name in order}


app = typer.Typer(
    name="headrace",
    cls=Panels,
    help="Serve ONNX models and look after them: versions, canaries, drift, retraining.\n\n"
    "Begin with `headrace up --detach`, then `headrace model register NAME FILE.onnx --deploy` and "
    "`headrace model example NAME`. Or see it all at once: `headrace demo`.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode="markdown",  # the other ways take `[default: …]` for markup, and keep lines as typed
    context_settings={"help_option_names": ["-h", "--help"]},
)
cluster.add_to(app)  # in the help, what one begins with stands above what comes later
app.add_typer(model_app, name="model", rich_help_panel="Models and versions")
app.add_typer(version_app, name="version", rich_help_panel="Models and versions")
app.add_typer(traffic_app, name="traffic", rich_help_panel="Traffic")
app.add_typer(rollout_app, name="rollout", rich_help_panel="Traffic")
traffic.add_to(app)
app.add_typer(key_app, name="key", rich_help_panel="Care")
settings.add_to(app)
catalogue.add_to(model_app, version_app)
governance.add_to(app, model_app, version_app)
serving.add_to(model_app)
signing.add_to(model_app)
model_app.command()(example.example)
observe.add_to(app)
audit.add_to(app)
logs.add_to(app)


def _tell_version(asked: bool) -> None:
    if asked:
        print("headrace", version("headrace"))
        raise typer.Exit


@app.callback()
def common(
    _: Annotated[
        bool, typer.Option("--version", callback=_tell_version, is_eager=True, help="Print it and exit.")
    ] = False,
    key: Annotated[
        str | None, typer.Option(help="Your API key. The environment's HEADRACE_KEY stays out of `ps`.")
    ] = None,
    override: Annotated[
        str, typer.Option(metavar="REASON", help="Change traffic in spite of a freeze; takes an admin.")
    ] = "",
) -> None:
    KEY.set(key)
    OVERRIDE.set(override)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command. Returns its exit code: 0 done, 1 refused or failed, 2 wrongly typed."""
    for stream in (sys.stdout, sys.stderr):
        # Whatever the terminal's alphabet is, no sign may end a command.
        if isinstance(stream, TextIOWrapper):
            stream.reconfigure(errors="replace")
    command = typer.main.get_command(app)
    name_placeholders(typer.Context(command, **command.context_settings))
    try:
        code = command.main(
            args=None if arguments is None else list(arguments), prog_name="headrace", standalone_mode=False
        )
    except LifecycleError as error:
        return _fail(error.message, 1)
    except typer.TyperException as error:
        option = getattr(error, "option_name", None)
        place = f"; {option} stands first: `headrace {option} TEXT COMMAND …`" if option in COMMON else ""
        return _fail(error.format_message() + place, error.exit_code)
    except typer.Abort:
        return _fail("interrupted", 130)
    except BrokenPipeError:  # the reader of our output left, e.g. `| head`
        return 0
    except OSError as error:  # a folder that takes no file, a full disk
        return _fail(f"{error.filename or 'the disk'}: {error.strerror or error}", 1)
    return code if isinstance(code, int) else 0


def _fail(message: str, code: int) -> int:
    if message:  # empty where the help was shown instead
        words = " ".join(message.split()).replace("Value error, ", "")  # of pydantic, in Typer
        print("headrace:", harmless(words), file=sys.stderr)
    return code
