"""What people may write for `--plan`: the name of a preset, or a TOML file."""

import tomllib
from pathlib import Path
from typing import Annotated, Any

import typer

from lifecycle.errors import LifecycleCode, LifecycleError

Plan = Annotated[
    str,
    typer.Option(
        metavar="PLAN", help="quick, cautious, shadow-first, manual, or a TOML file. [default: the server's]"
    ),
]


def read_plan(text: str) -> str | dict[str, Any]:
    """A preset's name as it is, a file as what it holds; the server checks it. Raises INVALID."""
    path = Path(text)
    if path.suffix != ".toml":
        return text
    try:
        return tomllib.loads(path.read_text())
    except (OSError, UnicodeDecodeError):
        raise LifecycleError(LifecycleCode.INVALID, f"cannot read the plan {text}") from None
    except tomllib.TOMLDecodeError as error:
        raise LifecycleError(LifecycleCode.INVALID, f"{text} is not TOML: {error}") from None
