"""What a worker did in a window beside answering: stages of its pool's runs, refusals, its caches' use.

Only counts, but for where versions run; they merge by addition, so any number of workers add up to the node.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np

from gateway.core.binning import histogram
from gateway.core.placement import Placed
from gateway.core.summary import Counts, latency_histogram
from gateway.core.types import VersionKey

BATCH_EDGES: Counts = np.array([1, 2, 4, 8, 16, 32, 64, 128], np.int64)
"""Upper bounds (inclusive) of the bins of requests per run; one more bin holds larger runs."""
BATCH_EDGES.setflags(write=False)


class Run(NamedTuple):
    """One run of the pool, all times in ns on the monotonic clock.

    Args:
        arrived: when each of its requests came to the pool.
        formed: when the batch was complete, and waited for a thread from then on.
        started, ended: of the run itself.
        rows: of all its requests.
    """

    arrived: tuple[int, ...]
    formed: int
    started: int
    ended: int
    rows: int


@dataclass(frozen=True, slots=True, eq=False)
class Stages:
    """Where the time of one version's requests in the pool went. A request that runs inline has no stages.

    Args:
        batch_wait, queue, compute: requests by the time from arrival to batch, from batch to thread, and in
            the run; bins of `LATENCY_EDGES_NS`.
        batches: runs by their requests; bins of `BATCH_EDGES`.
        requests: requests in all of them.
    """

    batch_wait: Counts
    queue: Counts
    compute: Counts
    batches: Counts
    requests: int

    @classmethod
    def of(cls, runs: list[Run]) -> "Stages":
        sizes = np.array([len(run.arrived) for run in runs], np.int64)
        arrived = np.array([at for run in runs for at in run.arrived], np.int64)
        formed, started, ended = (
            np.repeat(np.array([run[at] for run in runs], np.int64), sizes) for at in (1, 2, 3)
        )
        return cls(
            latency_histogram(formed - arrived),
            latency_histogram(started - formed),
            latency_histogram(ended - started),
            histogram(sizes, BATCH_EDGES),
            int(sizes.sum()),
        )

    def merge(self, other: "Stages") -> "Stages":
        return Stages(
            self.batch_wait + other.batch_wait,
            self.queue + other.queue,
            self.compute + other.compute,
            self.batches + other.batches,
            self.requests + other.requests,
        )


@dataclass(frozen=True, slots=True)
class Refusals:
    """Work that was turned away or given up.

    Args:
        limited: requests over their model's limit or the queue of its runs, by model.
        shed: requests that came while the worker was behind.
        connections: connections over the worker's limit.
        wedged: runs that were ended for taking too long.
        shadow_copies: copies that found no room or no ready shadow.
        pairs: shadow answers that were not compared for want of room.
    """

    limited: Mapping[str, int] = field(default_factory=dict)
    shed: int = 0
    connections: int = 0
    wedged: int = 0
    shadow_copies: int = 0
    pairs: int = 0

    def since(self, earlier: "Refusals") -> "Refusals":
        """What came on top; `earlier` is an older reading of the same counters."""
        return Refusals(
            _more(self.limited, earlier.limited),
            self.shed - earlier.shed,
            self.connections - earlier.connections,
            self.wedged - earlier.wedged,
            self.shadow_copies - earlier.shadow_copies,
            self.pairs - earlier.pairs,
        )

    def merge(self, other: "Refusals") -> "Refusals":
        limited = dict(self.limited)
        for model, n in other.limited.items():
            limited[model] = limited.get(model, 0) + n
        return Refusals(
            limited,
            self.shed + other.shed,
            self.connections + other.connections,
            self.wedged + other.wedged,
            self.shadow_copies + other.shadow_copies,
            self.pairs + other.pairs,
        )


@dataclass(frozen=True, slots=True)
class CacheUse:
    """Requests of cached models, by model: answered from the cache, and not."""

    hits: Mapping[str, int] = field(default_factory=dict)
    misses: Mapping[str, int] = field(default_factory=dict)

    def since(self, earlier: "CacheUse") -> "CacheUse":
        """What came on top; `earlier` is an older reading of the same counters."""
        return CacheUse(_more(self.hits, earlier.hits), _more(self.misses, earlier.misses))


UNUSED = CacheUse()


def _more(now: Mapping[str, int], before: Mapping[str, int]) -> dict[str, int]:
    # A count that fell is that of a model that went and came back: it began anew.
    more = {model: n - before.get(model, 0) for model, n in now.items()}
    return {model: n if n >= 0 else now[model] for model, n in more.items() if n}


@dataclass(frozen=True, slots=True)
class Figures:
    """What one worker did in one window: stages of its pool's runs, refusals, and its caches' use.

    `placed` is where all versions in its memory run; None: as it told before.
    """

    stages: Mapping[VersionKey, Stages] = field(default_factory=dict)
    refusals: Refusals = field(default_factory=Refusals)
    cache: CacheUse = UNUSED
    placed: Mapping[VersionKey, Placed] | None = None

    @classmethod
    def of(
        cls,
        runs: Iterable[tuple[VersionKey, Run]],
        refusals: Refusals,
        cache: CacheUse = UNUSED,
        placed: Mapping[VersionKey, Placed] | None = None,
    ) -> "Figures":
        grouped: dict[VersionKey, list[Run]] = {}
        for key, run in runs:
            grouped.setdefault(key, []).append(run)
        return cls({key: Stages.of(each) for key, each in grouped.items()}, refusals, cache, placed)
