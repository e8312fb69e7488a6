"""`headrace settings`: what may stand in a home's `headrace.toml`, what is in force, and what it means."""

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import Annotated, Any, get_args

import typer
from pydantic import BaseModel
from pydantic.fields import FieldInfo
from pydantic_core import to_jsonable_python

from lifecycle.cli.options import HOME, AsJson, Home
from lifecycle.terminal.screen import console, show_json
from lifecycle.terminal.tables import table


@dataclass(frozen=True, slots=True)
class Setting:
    """`name` is the path to it, sections and key with dots between; values are as TOML has them."""

    name: str
    value: Any
    default: Any
    meaning: str


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
    from lifecycle.config import LifecycleConfig, load  # half of what every other command would take to start

    config = load(home.expanduser().resolve(), {})
    found = [each for each in _settings(LifecycleConfig, config) if search in each.name]
    if as_json:
        show_json([asdict(each) for each in found])
        return
    rows = [(each.name, _word(each.value), _word(each.default), each.meaning) for each in found]
    empty = f"no setting has {search!r} in its name"
    console().print(table(["setting", "here", "default", "meaning"], rows, empty=empty, sentences=1))


def _settings(kind: type[BaseModel], section: BaseModel | None, path: str = "") -> Iterator[Setting]:
    """Of a section and those below it; one that is not there tells what it may hold."""
    for key, field in kind.model_fields.items():
        name, value = path + (field.alias or key), getattr(section, key, None)
        if name == "gateway.home":  # where the file is
            continue
        if (below := _section(field)) is not None:
            yield from _settings(below, value, f"{name}.")
        else:
            default = None if field.is_required() else field.get_default(call_default_factory=True)
            here, usual = (to_jsonable_python(each, fallback=str) for each in (value, default))
            yield Setting(name, here, usual, field.description or "")


def _section(field: FieldInfo) -> type[BaseModel] | None:
    """The kind of section that a field is, which may be left out."""
    kinds = (field.annotation, *get_args(field.annotation))
    found = (kind for kind in kinds if isinstance(kind, type) and issubclass(kind, BaseModel))
    return next(found, None) if not _many(field) else None


def _many(field: FieldInfo) -> bool:
    return str(field.annotation).startswith(("tuple", "dict", "frozenset"))


def _word(value: Any) -> str:
    if isinstance(value, list | dict):
        return f"{len(value)} of them" if value else ""
    if isinstance(value, bool):
        return str(value).lower()
    return "" if value is None else str(value)
