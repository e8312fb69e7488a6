"""What a worker reports of itself to the controller, with every call."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from gateway.core.placement import Placement
from gateway.core.types import VersionKey


@dataclass(frozen=True, slots=True)
class MemoryUse:
    """What a worker's models take, in bytes as measured. `loads` and `evictions` count from its start.

    `placements` counts the versions in memory by where they run.
    """

    placements: Mapping[Placement, int] = field(default_factory=dict)
    held_bytes: int = 0
    budget_bytes: int = 0
    loads: int = 0
    evictions: int = 0

    @property
    def versions(self) -> int:
        return sum(self.placements.values())


@dataclass(frozen=True, slots=True)
class WorkerReport:
    """The generation a worker applied and how its memory stands. `seen_at` is Unix time in seconds.

    Its size does not grow with the number of models.

    Args:
        worker: `<slot>-<process id>`; in a cluster of several nodes `<node>/<slot>-<process id>`.
        held: of the versions that are to be held, for a rollout or to get traffic, those in memory.
        failed: versions of the table that did not load when last tried or cannot run now, with the reason.
        no_room: of these, the ones that may be sound and found no room in memory.
        connections: open HTTP connections.
        resident_bytes: memory of its process.
    """

    worker: str
    generation: int
    held: frozenset[VersionKey] = frozenset()
    failed: Mapping[VersionKey, str] = field(default_factory=dict)
    memory: MemoryUse = MemoryUse()
    seen_at: float = 0.0
    connections: int = 0
    resident_bytes: int = 0
    no_room: frozenset[VersionKey] = frozenset()

    @property
    def place(self) -> "Place":
        """Where it runs: the same after a restart."""
        node, _, worker = self.worker.rpartition("/")
        return Place(node, worker.rpartition("-")[0] or worker)


class Place(NamedTuple):
    """A slot, and the node that has it: empty for one that stands alone."""

    node: str
    slot: str
