"""Where a version runs, and the name of the Serve application that is its own."""

from enum import StrEnum
from typing import NamedTuple

APPLICATIONS = "model-"
"""How the names of these applications begin."""


class Placement(StrEnum):
    """`auto` leaves the choice to what was measured."""

    AUTO = "auto"
    INLINE = "inline"
    """In the worker's event loop."""
    POOL = "pool"
    """On the worker's threads, where waiting requests share runs."""
    DEDICATED = "dedicated"
    """In a Serve application of its own, with its own processes and, where there is one, a GPU."""


class Device(StrEnum):
    """What a version's runs take place on."""

    CPU = "cpu"
    GPU = "gpu"


class Placed(NamedTuple):
    """Where a version in memory runs, and what decided it if that was left to `auto`.

    Args:
        placement: `inline` is for requests within its budget of time; what takes longer goes to the pool.
        run_ns: of a run of one row, measured when it was loaded; infinite if it could not be measured.
    """

    placement: Placement
    run_ns: float


def application_name(model: str, version: int, digest: str) -> str:
    """The application of a dedicated version. Another file under the same number gets another one."""
    return f"{APPLICATIONS}{model}-{version}-{digest.removeprefix('sha256:')[:12]}"
