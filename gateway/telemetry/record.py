"""What the tap holds of answered requests between two drains: counts of all, and the tensors of some."""

from array import array
from dataclasses import dataclass, field
from functools import partial
from typing import NamedTuple

from gateway.core.types import Outcome, Role, Tensors

CountKey = tuple[str, int, Role, str, Outcome]
"""Model, version, role, protocol, outcome."""


@dataclass(slots=True)
class Count:
    """Requests of one kind: a latency in ns for each, the routing keys of those that named one, and `rows`,
    the sum of the first dimensions of their first inputs, which only ever grows."""

    # Not a list: its numbers would be an object each, and push what requests need out of the caches.
    latencies: "array[int]" = field(default_factory=partial(array, "q"))
    keys: list[str] = field(default_factory=list)
    rows: int = 0


# A named tuple: it takes a third of the time of a frozen dataclass to build.
class Record(NamedTuple):
    """An answer with its tensors. `rows` is the first dimension of the first input, `at` is Unix seconds,
    `size` is bytes of tensors."""

    model: str
    version: int
    role: Role
    inputs: Tensors
    outputs: Tensors
    prediction_id: str
    at: float
    rows: int
    size: int


ANSWERED = (Outcome.OK, Outcome.INVALID_OUTPUT)
