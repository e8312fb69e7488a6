"""One answered request, as the tap holds it between two drains."""

from typing import NamedTuple

from gateway.core.types import Outcome, Role, Tensors


# A named tuple: it takes a third of the time of a frozen dataclass to build.
class Record(NamedTuple):
    """`inputs` and `outputs` are None together: nothing was answered, or there was no room to keep them.

    `rows` is the first dimension of the first input. `at` is Unix seconds. `size` is bytes of tensors held.
    `key` is the routing key, empty for none.
    """

    model: str
    version: int
    role: Role
    outcome: Outcome
    latency_ns: int
    protocol: str
    rows: int
    inputs: Tensors | None
    outputs: Tensors | None
    prediction_id: str
    at: float
    size: int
    key: str = ""


ANSWERED = (Outcome.OK, Outcome.INVALID_OUTPUT)
