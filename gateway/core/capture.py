"""One prediction kept whole, so that a late label can be joined to it by its id."""

from collections.abc import Mapping
from dataclasses import dataclass

from gateway.core.types import Array, Role


@dataclass(frozen=True, slots=True)
class Capture:
    """A request's tensors and the answer. A shadow's capture carries its primary's prediction id.

    `at` is Unix time in seconds. Arrays keep their batch dimension.
    """

    prediction_id: str
    at: float
    model: str
    version: int
    role: Role
    inputs: Mapping[str, Array]
    outputs: Mapping[str, Array]
