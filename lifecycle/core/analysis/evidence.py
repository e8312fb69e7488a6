"""What a rollout has seen: counts of both arms, per split of the traffic.

Merges by addition; judges nothing.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from gateway.core.callers import NO_KEYS, added
from gateway.core.summary import Window
from gateway.core.types import Outcome
from lifecycle.core.analysis.bins import OutputBins
from lifecycle.core.analysis.late import Late

Counts = NDArray[np.int64]
NONE = np.zeros(0, np.int64)
NONE.setflags(write=False)


@dataclass(frozen=True, slots=True, eq=False)
class Arm:
    """What one side of a comparison did.

    Args:
        requests: requests that the version is judged by; callers' mistakes and what was refused are left out.
        errors: of these, failed by the server's fault.
        invalid: of these, answered with NaN or infinity.
        latency: answered requests by bin of `LATENCY_EDGES_NS`, int64; zero-length when none was seen.
        outputs: rows by predicted class or score bin, int64; zero-length when not compared. Both arms of
            a comparison must count into the same bins (`bins.common_bins`).
        pairs: of a shadow, its answers that were compared with the champion's to the same request.
        differing: of these, the ones that differ (`gateway.core.disagreement`).
        classed: of these, the ones that name classes; `apart` sums their shares of rows that name others.
        keyed: requests with a routing key, by bucket of it (`gateway.core.callers`).
    """

    requests: int = 0
    errors: int = 0
    invalid: int = 0
    latency: Counts = field(default_factory=lambda: NONE)
    outputs: Counts = field(default_factory=lambda: NONE)
    pairs: int = 0
    differing: int = 0
    keyed: Counts = field(default_factory=lambda: NO_KEYS)
    classed: int = 0
    apart: float = 0.0

    EMPTY: ClassVar["Arm"]

    @classmethod
    def of(cls, window: Window, bins: OutputBins | None = None) -> "Arm":
        """An arm from a gateway's window; `bins` say which output to compare, None for none."""
        table = window.counts.get(bins.key) if bins else None
        return cls(
            window.requests,
            window.outcomes.get(Outcome.SERVER_ERROR, 0),
            window.outcomes.get(Outcome.INVALID_OUTPUT, 0),
            window.latency if window.latency.any() else NONE,
            NONE if bins is None or table is None else bins.count(table),
            window.disagreement.pairs,
            window.disagreement.differing,
            window.keyed,
            window.disagreement.classed,
            window.disagreement.apart,
        )

    def merge(self, other: "Arm") -> "Arm":
        """Both arms as one. Associative and commutative; `Arm.EMPTY` changes nothing.

        Raises:
            ValueError: the histograms have different bins.
        """
        return Arm(
            self.requests + other.requests,
            self.errors + other.errors,
            self.invalid + other.invalid,
            _add(self.latency, other.latency),
            _add(self.outputs, other.outputs),
            self.pairs + other.pairs,
            self.differing + other.differing,
            added(self.keyed, other.keyed),
            self.classed + other.classed,
            self.apart + other.apart,
        )

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Arm) and self.as_json() == other.as_json()

    def __hash__(self) -> int:
        return hash((self.requests, self.errors, self.invalid))

    def as_json(self) -> dict[str, Any]:
        return {
            "requests": self.requests,
            "errors": self.errors,
            "invalid": self.invalid,
            "latency": _sparse(self.latency),
            "outputs": _sparse(self.outputs),
            "pairs": self.pairs,
            "differing": self.differing,
            "keyed": _sparse(self.keyed.ravel()),
            "classed": self.classed,
            "apart": self.apart,
        }

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> "Arm":
        return cls(
            int(data["requests"]),
            int(data["errors"]),
            int(data["invalid"]),
            _dense(data["latency"]),
            _dense(data["outputs"]),
            # Evidence of a rollout that began before these were counted has none.
            int(data.get("pairs", 0)),
            int(data.get("differing", 0)),
            _dense(data["keyed"]).reshape(3, -1) if "keyed" in data else NO_KEYS,
            int(data.get("classed", 0)),
            float(data.get("apart", 0.0)),
        )


Arm.EMPTY = Arm()


@dataclass(frozen=True, slots=True)
class Segment:
    """Traffic under one split.

    Args:
        share: probability that a request went to the canary, in (0, 1). A shadow's copies are paired
            with the champion's answers: `paired=True` and a share of one half.
    """

    share: float
    paired: bool = False
    canary: Arm = Arm.EMPTY
    baseline: Arm = Arm.EMPTY

    def __post_init__(self) -> None:
        if not 0 < self.share < 1:
            raise ValueError(f"a segment's share is within 0 and 1, not {self.share}")

    def as_json(self) -> dict[str, Any]:
        return {
            "share": self.share,
            "paired": self.paired,
            "canary": self.canary.as_json(),
            "baseline": self.baseline.as_json(),
        }

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> "Segment":
        canary, baseline = (Arm.from_json(data[arm]) for arm in ("canary", "baseline"))
        return cls(float(data["share"]), bool(data["paired"]), canary, baseline)


@dataclass(frozen=True, slots=True)
class Evidence:
    """All segments of a rollout, and the champion's record from before the canary got traffic."""

    segments: tuple[Segment, ...] = ()
    reference: Arm = Arm.EMPTY
    late: Late = field(default_factory=Late)

    def add(self, segment: Segment) -> "Evidence":
        """Evidence with more of a segment's traffic; segments of one split are merged."""
        split = (segment.share, segment.paired)
        rest = tuple(old for old in self.segments if (old.share, old.paired) != split)
        for old in self.segments:
            if (old.share, old.paired) == split:
                canary, baseline = old.canary.merge(segment.canary), old.baseline.merge(segment.baseline)
                segment = Segment(*split, canary, baseline)
        return replace(self, segments=(*rest, segment))

    def as_json(self) -> dict[str, Any]:
        return {
            "segments": [segment.as_json() for segment in self.segments],
            "reference": self.reference.as_json(),
            **self.late.as_json(),
        }

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> "Evidence":
        segments = tuple(map(Segment.from_json, data["segments"]))
        return cls(segments, Arm.from_json(data["reference"]), Late.from_json(data))


def _add(left: Counts, right: Counts) -> Counts:
    if not len(left) or not len(right):
        return left if len(left) else right
    if left.shape != right.shape:
        raise ValueError(f"cannot add histograms of {len(left)} and {len(right)} bins")
    return left + right


def _sparse(counts: Counts) -> dict[str, Any]:
    at = np.flatnonzero(counts)
    return {"bins": len(counts), "at": at.tolist(), "counts": counts[at].tolist()}


def _dense(data: Mapping[str, Any]) -> Counts:
    counts = np.zeros(int(data["bins"]), np.int64)
    counts[np.asarray(data["at"], np.int64)] = data["counts"]
    return counts
