"""What a worker says of itself to the controller."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class WorkerReport:
    """The generation a worker applied and the versions it holds. `seen_at` is Unix time in seconds."""

    worker: str
    generation: int
    loaded: frozenset[tuple[str, int]]
    failed: frozenset[tuple[str, int]]
    seen_at: float
