"""Sees every answered request. A record is one append; the summing up is done later, in bulk, elsewhere.

Records of the event loop and drains of another thread meet in one deque, whose ends are safe to use at
once. Each counter is written by one side only.
"""

import threading
from collections import Counter, defaultdict, deque
from collections.abc import Callable, Container
from random import Random
from time import time

import numpy as np

from gateway.config import Watching
from gateway.core.capture import Capture
from gateway.core.profile import Profile
from gateway.core.summary import Key, Window
from gateway.core.types import InferRequest, Outcome, Role, Tensors
from gateway.telemetry.record import Record
from gateway.telemetry.sampling import Sampler
from gateway.telemetry.summing import Summing

MOST_BYTES = 64 * 2**20
"""Tensors held between two drains. Beyond it records go without them: counted and timed, not profiled."""

MOST_WINDOWS = 200
"""Windows of one drain. With more kinds of traffic than that they take turns, and each window spans longer:
one costs about 0.1 ms here and again where it is received."""


class TrafficTap:
    """Implements `ports.Tap`.

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
        self._pending: deque[Record | int] = deque()  # a number: the generation from here on
        self._held_bytes = 0
        self._freed_bytes = 0
        self._dropped: Counter[tuple[str, int, Role]] = Counter()
        self._told: Counter[tuple[str, int, Role]] = Counter()
        self._generation = 0
        self._open: dict[Key, Summing] = {}  # the longest open first
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
        if len(self._pending) >= self._most_records:
            self._dropped[request.model, version, role] += 1
            return
        rows = size = 0
        inputs: Tensors | None = None
        if outputs is not None:
            for array in request.inputs.values():
                rows = array.shape[0] if array.shape else 1
                break
            if self._keeps(request.model, role):
                inputs = request.inputs
                for tensors in (inputs, outputs):
                    for array in tensors.values():
                        size += array.nbytes
            if inputs is None or self._held_bytes - self._freed_bytes + size > self._most_bytes:
                inputs, outputs, size = None, None, 0
            self._held_bytes += size
        self._pending.append(
            Record(
                *(request.model, version, role, outcome, latency_ns, request.protocol, rows),
                *(inputs, outputs, prediction_id, time(), size, request.key),
            )
        )

    def _keeps(self, model: str, role: Role) -> bool:
        # Whatever the version: both sides of a split are thinned alike. A shadow's copies are few, and are
        # compared with what was kept of their primaries.
        share = self._shares.get(model)
        return share is None or role is Role.SHADOW or self._chance() < share

    def roll(self, generation: int) -> None:
        """Close what was recorded so far under the old generation. Call right before a new table applies."""
        self._pending.append(generation)

    def drain(
        self, now: float, first: Container[str] = (), *, everything: bool = False
    ) -> tuple[list[Window], list[Capture]]:
        """What was recorded: windows that end `now` (Unix seconds), and a sample since the last drain.

        Takes time in proportion to it: call it from a thread.

        Args:
            first: models whose windows do not wait for their turn.
            everything: leave no window open.
        """
        with self._draining:
            groups = self._take()
            self._shares = self._thin(groups, now - self._since)
            captures = self._sampler.sample(groups, now - self._since)
            for key, records in groups.items():
                profiled = self._profiles(key[0], key[1]) is not None
                self._freed_bytes += self._summing(key).add(records, profiled)
            for key, n in self._lost().items():
                self._summing(key).dropped += n
            self._since = now
            most = len(self._open) if everything else MOST_WINDOWS
            due = [key for at, key in enumerate(self._open) if at < most or key[0] in first]
            return [self._close(key, now) for key in due], captures

    def _summing(self, key: Key) -> Summing:
        if key not in self._open:
            self._open[key] = Summing(self._since)
        return self._open[key]

    def _close(self, key: Key, now: float) -> Window:
        summing = self._open.pop(key)
        self._freed_bytes += summing.size
        return summing.window(key, self._profiles(key[0], key[1]), now)

    def _take(self) -> dict[Key, list[Record]]:
        groups: defaultdict[Key, list[Record]] = defaultdict(list)
        pop = self._pending.popleft
        for _ in range(len(self._pending)):
            record = pop()
            if type(record) is int:
                self._generation = record
            elif type(record) is Record:
                groups[record.model, record.version, record.role, self._generation].append(record)
        return groups

    def _thin(self, groups: dict[Key, list[Record]], elapsed_s: float) -> dict[str, float]:
        """The share to keep, by model: as many as profiles look at, or as the sample needs without one."""
        seen: Counter[str] = Counter()
        profiled = set()
        for (model, version, role, _), records in groups.items():
            seen[model] += len(records) if role is not Role.SHADOW else 0
            if self._profiles(model, version) is not None:
                profiled.add(model)
        sampled, looked_at = self._watching.sample_rows_per_s, self._watching.profiled_per_s
        room = {model: elapsed_s * (looked_at if model in profiled else sampled) for model in seen}
        return {model: room[model] / n for model, n in seen.items() if n > room[model]}

    def _lost(self) -> dict[Key, int]:
        dropped = self._dropped.copy()
        lost = dropped - self._told
        self._told = dropped
        return {(*key, self._generation): n for key, n in lost.items()}
