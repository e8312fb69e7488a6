"""What is wrong with settings, in the words of whoever wrote them: the key, what was meant, what it takes."""

import re
from collections.abc import Sequence
from typing import get_args

from pydantic import BaseModel, ValidationError

from gateway.core.words import or_rather

_BRANCH = re.compile(r"constrained-\w+|[\w-]+\[.*\]")
"""A place that pydantic names after the type it tried there; nobody typed it."""


def told(error: ValidationError, kind: type[BaseModel]) -> str:
    """Each wrong key of a `kind` with what is wrong with it, in one line."""
    faults: dict[str, list[str]] = {}
    for each in error.errors(include_url=False):
        place = [str(part) for part in each["loc"] if not _BRANCH.fullmatch(str(part))]
        name = ".".join(place)
        if each["type"] == "extra_forbidden":
            fault = f"there is no setting {name}{_hint(kind, place)}"
        else:
            fault = f"{name}: {each['msg'].removeprefix('Value error, ')}" if name else each["msg"]
        faults.setdefault(name, []).append(fault)
    return "; ".join(
        " or ".join((first, *(more.partition(": ")[2] for more in rest))) for first, *rest in faults.values()
    )


def _hint(kind: type[BaseModel], place: Sequence[str]) -> str:
    """The key that was meant, in the section where it was looked for or in the one where it belongs."""
    section: type[BaseModel] | None = kind
    for part in place[:-1]:
        section = _sections(section).get(part) if section else None
    if section and (hint := or_rather(place[-1], _keys(section))):
        return hint
    home = next((name for name, below in _sections(kind).items() if place[-1] in _keys(below)), "")
    return f"; it belongs in [{home}]" if home else "; `headrace settings` lists them"


def _keys(section: type[BaseModel]) -> list[str]:
    return [field.alias or key for key, field in section.model_fields.items()]


def _sections(section: type[BaseModel]) -> dict[str, type[BaseModel]]:
    """Those below a section, by key."""
    return {
        key: kind
        for key, field in section.model_fields.items()
        for kind in (field.annotation, *get_args(field.annotation))
        if isinstance(kind, type) and issubclass(kind, BaseModel)
    }
