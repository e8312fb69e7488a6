"""What one model may take of a worker. Part of its route, so that a change reaches all workers as one."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class ModelLimits:
    """Per worker; 0 is no limit.

    Args:
        max_concurrency: requests that run at once.
        max_queue: requests that may wait for their turn beyond those; more are refused at once.
    """

    max_concurrency: int = 0
    max_queue: int = 0

    def __post_init__(self) -> None:
        if self.max_concurrency < 0 or self.max_queue < 0:
            raise ValueError("a limit is 0 or more")
        if self.max_queue and not self.max_concurrency:
            raise ValueError(
                "a limit of the queue needs one of the concurrency: set max_concurrency above 0, too"
            )

    def as_json(self) -> dict[str, int]:
        return asdict(self)

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> "ModelLimits":
        return cls(data.get("max_concurrency", 0), data.get("max_queue", 0))


UNLIMITED = ModelLimits()
