"""Which models a list of patterns means: exact names, and prefixes that end in `*`."""

from collections.abc import Collection


def covers(patterns: Collection[str], model: str) -> bool:
    """Whether a model is meant. No patterns at all mean every model, those to come too."""
    if not patterns or model in patterns:
        return True
    return any(model.startswith(pattern[:-1]) for pattern in patterns if pattern.endswith("*"))
