"""What people say of models and versions: aliases, descriptions and model cards."""

from typing import Annotated, Any

import typer

from lifecycle.cli.options import URL, AsJson, IfRevision, Name, Number, Url, connect
from lifecycle.cli.versions import tags
from lifecycle.errors import LifecycleCode, LifecycleError
from lifecycle.terminal.screen import console, harmless, show_json
from lifecycle.terminal.tables import fields, table

Alias = Annotated[str, typer.Argument(metavar="ALIAS", help="The name, e.g. `stable`.")]


def add_to(model: typer.Typer, version: typer.Typer) -> None:
    model.command()(alias)
    model.command()(unalias)
    version.command()(describe)
    version.command()(card)


def alias(
    name: Name,
    alias: Alias,
    number: Number,
    if_revision: IfRevision = None,
    url: Url = URL,
    as_json: AsJson = False,
) -> None:
    """Let a name stand for a version, wherever a version is asked for.

    `champion` and `canary` follow the traffic by themselves.

    Example: `headrace model alias fraud audited 2`
    """
    with connect(url) as client:
        _show_aliases(client.at_revision(if_revision).set_alias(name, alias, number), as_json)


def unalias(
    name: Name, alias: Alias, if_revision: IfRevision = None, url: Url = URL, as_json: AsJson = False
) -> None:
    """Let a name stand for nothing.

    Example: `headrace model unalias fraud audited`
    """
    with connect(url) as client:
        _show_aliases(client.at_revision(if_revision).remove_alias(name, alias), as_json)


def describe(
    name: Name,
    number: Number,
    owner: Annotated[str | None, typer.Option(help="Who answers for it.")] = None,
    intended_use: Annotated[str | None, typer.Option(help="What it is for.")] = None,
    limitations: Annotated[str | None, typer.Option(help="What it is not for, where it fails.")] = None,
    tag: Annotated[list[str] | None, typer.Option(metavar="NAME[=VALUE]", help="May repeat.")] = None,
    untag: Annotated[list[str] | None, typer.Option(metavar="NAME", help="Take a tag away.")] = None,
    metric: Annotated[list[str] | None, typer.Option(metavar="NAME=NUMBER", help="May repeat.")] = None,
    if_revision: IfRevision = None,
    url: Url = URL,
    as_json: AsJson = False,
) -> None:
    """Complete a version's model card. What is not given stays as it is.

    Example: `headrace version describe fraud 2 --owner risk-team --tag region=eu --metric auc=0.93`
    """
    metrics = {key: _number(value) for key, value in map(_pair, metric or ())}
    labels: dict[str, str | None] = dict.fromkeys(untag or ())
    labels |= dict(map(_pair, tag or ()))
    with connect(url) as client:
        version = client.at_revision(if_revision).describe(
            name,
            number,
            owner=owner,
            intended_use=intended_use,
            limitations=limitations,
            tags=labels,
            metrics=metrics,
        )
    if as_json:
        show_json(version)
        return
    said = version["description"]
    numbers = ", ".join(f"{key}={value:g}" for key, value in sorted(said["metrics"].items()))
    texts = [(key.replace("_", " "), said[key]) for key in ("owner", "intended_use", "limitations")]
    console().print(fields([*texts, ("tags", tags(said["tags"])), ("metrics", numbers)]))


def card(
    name: Name,
    number: Number,
    html: Annotated[bool, typer.Option("--html", help="As a page instead of Markdown.")] = False,
    url: Url = URL,
    as_json: AsJson = False,
) -> None:
    """Print a version's model card: facts, evidence, approvals, and what people say of it.

    Example: `headrace version card fraud 2 --html > fraud-2.html`
    """
    with connect(url) as client:
        found = client.card(name, number)
    if as_json:
        show_json(found)
    else:
        print(found["html"] if html else harmless(found["markdown"], "\n"), end="")


def _pair(text: str) -> tuple[str, str]:
    name, _, value = text.partition("=")
    return name, value


def _number(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        message = f"{text!r} is not a number; write e.g. `--metric auc=0.93`"
        raise LifecycleError(LifecycleCode.INVALID, message) from None


def _show_aliases(model: dict[str, Any], as_json: bool) -> None:
    if as_json:
        show_json(model)
        return
    rows = sorted(model["aliases"].items())
    console().print(table(["alias", "version"], rows, empty=f"{model['name']} has no aliases"))
