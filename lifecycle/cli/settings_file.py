"""What may stand in a home's `headrace.toml`: every setting, walked from the configuration's own model."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, get_args

from pydantic import BaseModel
from pydantic.fields import FieldInfo
from pydantic_core import to_jsonable_python

from lifecycle.config import LifecycleConfig, load

_PASSWORD = re.compile(r"(://[^/?#@:]*:)[^/?#]*@")


@dataclass(frozen=True, slots=True)
class Setting:
    """`name` is the path to it, sections and key with dots between; values are as TOML has them."""

    name: str
    value: Any
    default: Any
    meaning: str


def settings_of(home: Path) -> list[Setting]:
    """All of them, in the order of the configuration. Raises LifecycleError for a wrong file."""
    return list(_settings(LifecycleConfig, load(home, {})))


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
            yield Setting(name, _without_passwords(here), usual, field.description or "")


def _without_passwords(value: Any) -> Any:
    """As it may be shown to others: of URLs with a password all but that."""
    if isinstance(value, dict):
        return {key: _without_passwords(each) for key, each in value.items()}
    if isinstance(value, list):
        return [_without_passwords(each) for each in value]
    return _PASSWORD.sub(r"\1***@", value) if isinstance(value, str) else value


def _section(field: FieldInfo) -> type[BaseModel] | None:
    """The kind of section that a field is, which may be left out."""
    kinds = (field.annotation, *get_args(field.annotation))
    found = (kind for kind in kinds if isinstance(kind, type) and issubclass(kind, BaseModel))
    return next(found, None) if not _many(field) else None


def _many(field: FieldInfo) -> bool:
    return str(field.annotation).startswith(("tuple", "dict", "frozenset"))
