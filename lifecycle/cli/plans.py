"""What people may write for `--plan`: the name of a preset, or a TOML file."""

from pathlib import Path
from typing import Any

from lifecycle.core.plan import Plan
from lifecycle.errors import LifecycleCode, LifecycleError


def read_plan(text: str) -> str | dict[str, Any]:
    """A preset's name as it is, a file as the plan in it. Raises LifecycleError INVALID."""
    path = Path(text)
    if path.suffix != ".toml":
        return text
    try:
        return Plan.from_toml(path.read_text()).as_json()
    except (OSError, UnicodeDecodeError):
        raise LifecycleError(LifecycleCode.INVALID, f"cannot read the plan {text}") from None
