"""What Headrace must reach beside the others, and whether it did."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

Measure = Literal["per_second", "p50_ms", "p99_ms"]
Medians = Mapping[str, Mapping[str, Mapping[Measure, float | None]]]
"""By system, by case: the median of every turn."""


@dataclass(frozen=True, slots=True)
class Bar:
    """Headrace's figure, over the peer's, is at least `factor`; of a latency, below it."""

    case: str
    peer: str
    factor: float
    measure: Measure = "per_second"

    def reached(self, medians: Medians) -> float | None:
        """The ratio that was measured, None without both figures."""
        ours = medians.get("headrace", {}).get(self.case, {}).get(self.measure)
        theirs = medians.get(self.peer, {}).get(self.case, {}).get(self.measure)
        return ours / theirs if ours and theirs else None

    def verdict(self, medians: Medians) -> str:
        """`met`, `missed` or `not measured`."""
        ratio = self.reached(medians)
        if ratio is None:
            return "not measured"
        met = ratio >= self.factor if self.measure == "per_second" else ratio < self.factor
        return "met" if met else "missed"


BARS = (
    Bar("json", "triton", 2.5),
    Bar("json", "fastapi", 3),
    Bar("json", "rayserve", 7),
    Bar("json", "mlserver", 10),
    Bar("json", "kserve", 10),
    Bar("json", "haproxy", 0.2),
    Bar("grpc", "triton", 3),
    Bar("grpc", "mlserver", 8),
    Bar("grpc", "kserve", 8),
    Bar("json-one", "triton", 1, "p50_ms"),
    Bar("json-one", "triton", 1, "p99_ms"),
    Bar("json-one", "fastapi", 1, "p50_ms"),
    Bar("json-one", "fastapi", 1, "p99_ms"),
    Bar("grpc-one", "triton", 1, "p50_ms"),
    Bar("grpc-one", "triton", 1, "p99_ms"),
    Bar("binary-1mb", "triton", 1),
    Bar("grpc-1mb", "triton", 1),
    Bar("image-json", "fastapi", 3),
    Bar("image-json", "triton", 1),
    Bar("json", "headrace-off", 0.9),
    Bar("grpc", "headrace-off", 0.9),
)
