"""Which versions leave memory to make room for another. Pure arithmetic on what is there."""

from collections.abc import Iterable
from typing import TypeVar

Key = TypeVar("Key")


def to_evict(idle: Iterable[tuple[Key, int]], excess_bytes: int) -> list[Key] | None:
    """The fewest of the longest unused that free `excess_bytes`; None if all of them together do not.

    Args:
        idle: versions that may go, with their bytes, the longest unused first.
    """
    chosen: list[Key] = []
    for key, size in idle:
        if excess_bytes <= 0:
            break
        chosen.append(key)
        excess_bytes -= size
    return chosen if excess_bytes <= 0 else None
