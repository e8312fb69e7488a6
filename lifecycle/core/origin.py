"""Where an answer came from, and what shadows answered to the same request."""

from collections.abc import Mapping
from dataclasses import dataclass

from gateway.core.types import Array


@dataclass(frozen=True, slots=True, eq=False)
class ShadowAnswer:
    """What a shadow version answered to the same request at `at`, Unix seconds.

    Args:
        outputs: of one row, each [1, ...].
        differs: whether it is another answer than the caller's (`gateway.core.disagreement`).
        distances: the largest absolute difference, per output of numbers that both gave.
    """

    version: int
    at: float
    outputs: Mapping[str, Array]
    differs: bool
    distances: Mapping[str, float]


@dataclass(frozen=True, slots=True)
class Origin:
    """Where an answer came from. `at` is Unix time in seconds; `shadows` are the answers nobody saw."""

    model: str
    version: int
    role: str
    at: float
    shadows: tuple[ShadowAnswer, ...] = ()
