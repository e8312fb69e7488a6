"""Fine bins of nanoseconds as the buckets of a Prometheus histogram, in seconds."""

import numpy as np

from gateway.core.figures import BATCH_EDGES
from gateway.core.summary import LATENCY_EDGES_NS, Counts

_MILLISECONDS = (0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 50, 100, 200, 500, 1_000, 2_000, 5_000, 10_000, 30_000)
SECONDS = tuple(bound / 1000 for bound in _MILLISECONDS)
# Upper bounds are rounded down to a fine edge (5 % at most), so that the counts under them are exact.
_CUTS = np.searchsorted(LATENCY_EDGES_NS, np.array(SECONDS) * 1e9, side="right") - 1
_EDGES = LATENCY_EDGES_NS.astype(np.float64)
_MIDDLES = np.concatenate([_EDGES[:1], np.sqrt(_EDGES[:-1] * _EDGES[1:]), _EDGES[-1:]])

Buckets = list[tuple[str, float]]


def of_latencies(counts: Counts) -> tuple[Buckets, float]:
    """Cumulated buckets and the sum in seconds, from bins of `LATENCY_EDGES_NS`.

    The sum takes each latency as the middle of its bin: 2.5 % off at most.
    """
    cumulated = np.cumsum(counts)
    bounds = [(repr(bound), float(cumulated[cut])) for bound, cut in zip(SECONDS, _CUTS, strict=True)]
    return [*bounds, ("+Inf", float(cumulated[-1]))], float(counts @ _MIDDLES) / 1e9


def of_batches(counts: Counts) -> Buckets:
    """Cumulated buckets from bins of `BATCH_EDGES`."""
    cumulated = np.cumsum(counts)
    bounds = [*map(str, BATCH_EDGES.tolist()), "+Inf"]
    return [(bound, float(n)) for bound, n in zip(bounds, cumulated, strict=True)]
