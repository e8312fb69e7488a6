"""Sees every answered request: counts it, and keeps the tensors of some. The rest is done later, in bulk.

The event loop appends to lists and a deque, and another thread drains their other ends, which is safe at
once. Each number is written by one side only.
"""

import threading
from array import array
from collections import Counter, defaultdict, deque
from collections.abc import Callable, Container
from random import Random
from time import time
from typing import NamedTuple

import numpy as np

from gateway.config import Watching
from gateway.core.profile import Profile
from gateway.core.summary import Window, WindowKey
from gateway.core.types import InferRequest, Outcome, Role, Tensors, memory_of
from gateway.ports import Meter, MeterKey
from gateway.telemetry.record import Count, CountKey, Record
from gateway.telemetry.sampling import Sampler, fair_shares
from gateway.telemetry.summing import Summing

MOST_BYTES = 64 * 2**20
"""Tensors held between two drains. Beyond it records go without them: counted and timed, not profiled."""

MOST_WINDOWS = 200
"""Windows of one drain. With more kinds of traffic than that they take turns, and each window spans longer:
one costs about 0.1 ms here and again where it is received."""

_SOONER = 10
"""A meter that holds this part of all that it may is emptied before its window closes."""


class _Roll(NamedTuple):
    """From here on, records are of the generation; the counts are all of those before."""

    counts: dict[CountKey, Count]
    generation: int


class _Metered(NamedTuple):
    """What a meter had when the table changed."""

    key: MeterKey
    generation: int
    latencies: "array[int]"
    rows: int


class TrafficTap:
    """Implements `ports.Tap`. Also reads `meters`, of those who count by themselves.

    Args:
        profiles: the reference profile of a model's version; called from the draining thread.
        rng: draws the sample of captured predictions, and of those whose tensors are kept at all.
    """

    def __init__(
        self,
        watching: Watching,
        profiles: Callable[[str, int], Profile | None],
        rng: np.random.Generator,
        most_bytes: int = MOST_BYTES,
    ) -> None:
        self._profiles = profiles
        self._sampler = Sampler(watching, rng)
        self._chance = Random(int(rng.integers(2**63))).random
        self._watching = watching
        self._shares: dict[str, float] = {}
        """Of a busy model's requests, the share whose tensors are kept; of others, all."""
        self._most_records = watching.tap_records
        self._most_bytes = most_bytes
        self._counts: dict[CountKey, Count] = {}
        self.meters: dict[MeterKey, Meter] = {}
        self._pending: deque[Record | _Roll | _Metered] = deque()
        self._recorded = 0
        self._summed = 0
        self._held_bytes = 0
        self._freed_bytes = 0
        self._rows_told: dict[CountKey, int] = {}
        self._dropped: Counter[tuple[str, int, Role]] = Counter()
        self._told: Counter[tuple[str, int, Role]] = Counter()
        self._generation = 0
        self._open: dict[WindowKey, Summing] = {}  # the longest open first
        self._untaken: defaultdict[WindowKey, set[Meter]] = defaultdict(set)
        """Of open windows, the meters that have some of their requests."""
        self._sampled: defaultdict[tuple[str, int, Role], list[Record]] = defaultdict(list)
        self._since = time()
        self._draining = threading.Lock()

    def record(
        self,
        request: InferRequest,
        version: int,
        role: Role,
        outcome: Outcome,
        latency_ns: int,
        outputs: Tensors | None,
        prediction_id: str,
    ) -> None:
        if self._recorded - self._summed >= self._most_records:
            self._dropped[request.model, version, role] += 1
            return
        self._recorded += 1
        key = (request.model, version, role, request.protocol, outcome)
        count = self._counts.get(key)
        if count is None:
            count = self._counts[key] = Count()
        count.latencies.append(latency_ns)
        if request.key:
            count.keys.append(request.key)
        if outputs is None:
            return
        rows = 0
        for first in request.inputs.values():
            rows = first.shape[0] if first.shape else 1
            break
        count.rows += rows
        if self._keeps(request.model, role):
            self.keep(request.model, version, role, request.inputs, outputs, prediction_id, rows)

    def keep(
        self,
        model: str,
        version: int,
        role: Role,
        inputs: Tensors,
        outputs: Tensors,
        prediction_id: str,
        rows: int,
    ) -> None:
        """Implements `ports.Keep`."""
        size = 0
        for tensors in (inputs, outputs):
            for tensor in tensors.values():
                size += memory_of(tensor)
        if self._held_bytes - self._freed_bytes + size <= self._most_bytes:
            self._held_bytes += size
            self._pending.append(
                Record(model, version, role, inputs, outputs, prediction_id, time(), rows, size)
            )

    def _keeps(self, model: str, role: Role) -> bool:
        # Whatever the version: both sides of a split are thinned alike. A shadow's copies are few, and are
        # compared with what was kept of their primaries.
        share = self._shares.get(model)
        return share is None or role is Role.SHADOW or self._chance() < share

    def roll(self, generation: int) -> None:
        """Close what was recorded so far under the old generation. Call right before a new table applies."""
        for meter in self.meters.values():
            if (taken := _Metered(meter.key, *meter.take())).latencies:
                self._pending.append(taken)
            meter.generation = generation
        self._pending.append(_Roll(self._counts, generation))
        self._counts = {}

    def drain(
        self, now: float, first: Container[str] = (), *, everything: bool = False
    ) -> tuple[list[Window], list[Record]]:
        """What was recorded: windows that end `now` (Unix seconds), and of each a sample of its predictions.

        Takes time in proportion to it: call it from a thread.

        Args:
            first: models whose windows do not wait for their turn.
            everything: leave no window open.
        """
        with self._draining:
            seen: Counter[str] = Counter()
            groups = self._take(seen)
            before, self._shares = self._shares, self._thin(seen, groups, now - self._since)
            if before or self._shares:
                for meter in list(self.meters.values()):
                    meter.share = self._shares.get(meter.key[0], 1.0)
            for record in self._sampler.sample(groups, now - self._since):
                self._sampled[record.model, record.version, record.role].append(record)
            for key, records in groups.items():
                profiled = self._profiles(key[0], key[1]) is not None
                self._freed_bytes += self._summing(key).add(records, profiled)
            for key, n in self._lost().items():
                self._summing(key).dropped += n
            self._since = now
            most = len(self._open) if everything else MOST_WINDOWS
            due = [key for at, key in enumerate(self._open) if at < most or key[0] in first]
            # Captures go with their window: of very many models each has several by then, and one costs as
            # much to send on as ten.
            captures = [capture for key in due for capture in self._sampled.pop(key[:3], ())]
            return [self._close(key, now) for key in due], captures

    def _summing(self, key: WindowKey) -> Summing:
        summing = self._open.get(key)
        if summing is None:
            summing = self._open[key] = Summing(self._since)
        return summing

    def _close(self, key: WindowKey, now: float) -> Window:
        for meter in self._untaken.pop(key, ()):
            self._metered(_Metered(meter.key, *meter.take()))
        summing = self._open.pop(key)
        self._freed_bytes += summing.size
        return summing.window(key, self._profiles(key[0], key[1]), now)

    def _take(self, seen: Counter[str]) -> dict[WindowKey, list[Record]]:
        """Sum up counts, adding to `seen` requests by model, and return the records."""
        groups: defaultdict[WindowKey, list[Record]] = defaultdict(list)
        # First of all: should the table change from here on, these are still of the generation known here.
        counts, pop = self._counts, self._pending.popleft
        for _ in range(len(self._pending)):
            item = pop()
            if type(item) is Record:
                groups[item.model, item.version, item.role, self._generation].append(item)
            elif type(item) is _Metered:
                self._metered(item)
                seen[item.key[0]] += len(item.latencies)
            elif type(item) is _Roll:
                self._count(item.counts, seen)
                self._rows_told.clear()
                self._generation = item.generation
        self._count(counts, seen)
        for meter in list(self.meters.values()):
            if n := meter.fresh():
                self._meet(meter, n, seen)
        return groups

    def _meet(self, meter: Meter, n: int, seen: Counter[str]) -> None:
        """A meter with `n` new requests: its window is open from now on, and takes them when it closes."""
        model, version, role, _ = meter.key
        seen[model] += n
        key = (model, version, role, meter.generation)
        self._summing(key)
        self._untaken[key].add(meter)
        if meter.waiting * _SOONER >= self._most_records:
            self._metered(_Metered(meter.key, *meter.take()))

    def _metered(self, item: _Metered) -> None:
        model, version, role, protocol = item.key
        if item.latencies:
            summing = self._summing((model, version, role, item.generation))
            summing.count(protocol, Outcome.OK, item.latencies, (), item.rows)

    def _count(self, counts: dict[CountKey, Count], seen: Counter[str]) -> None:
        for key, count in list(counts.items()):
            n = len(count.latencies)
            if not n:
                continue
            latencies, keys, rows = count.latencies[:n], count.keys.copy(), count.rows
            del count.latencies[:n], count.keys[: len(keys)]
            self._summed += n
            model, version, role, protocol, outcome = key
            summing = self._summing((model, version, role, self._generation))
            summing.count(protocol, outcome, latencies, keys, rows - self._rows_told.get(key, 0))
            self._rows_told[key] = rows
            if role is not Role.SHADOW:
                seen[model] += n

    def _thin(
        self, seen: Counter[str], groups: dict[WindowKey, list[Record]], elapsed_s: float
    ) -> dict[str, float]:
        """The share to keep, by model: as many as profiles look at, or as the sample needs without one."""
        profiled = {key[0] for key in groups if self._profiles(key[0], key[1]) is not None}
        watching = self._watching
        most = {model: min(float(n), elapsed_s * watching.sample_rows_per_s) for model, n in seen.items()}
        room = fair_shares(most, elapsed_s * watching.sample_total_rows_per_s)
        room |= dict.fromkeys(profiled, elapsed_s * watching.profiled_per_s)
        return {model: room[model] / n for model, n in seen.items() if n > room[model]}

    def _lost(self) -> dict[WindowKey, int]:
        dropped = self._dropped.copy()
        lost = dropped - self._told
        self._told = dropped
        return {(*key, self._generation): n for key, n in lost.items()}
