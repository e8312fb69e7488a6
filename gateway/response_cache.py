"""Answers kept for requests that come again, of models whose route says so. A worker's own; bounded in bytes.

Never keeps a failure. A route that changed in any way starts anew, with nothing.
"""

import hashlib
import time
from collections import Counter, OrderedDict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from gateway.core.figures import CacheUse
from gateway.core.routing import ModelRoute
from gateway.core.types import Array, InferRequest, Tensors, VersionKey, memory_of
from gateway.errors import late
from gateway.ports import LoadedVersion

_ENTRY_BYTES = 512
"""What an entry takes beside its tensors."""


@dataclass(slots=True)
class CacheTimes:
    """Requests answered from the cache, and not, with the time spent on the cache itself."""

    hits: int = 0
    hit_ns: int = 0
    misses: int = 0
    miss_ns: int = 0


class ResponseCaches:
    """One cache per model. Lives in the event loop."""

    def __init__(self) -> None:
        self._hits: Counter[str] = Counter()
        self._misses: Counter[str] = Counter()
        self._used: dict[VersionKey, CacheTimes] = {}
        self._models: dict[str, _Answers] = {}

    async def run(self, route: ModelRoute, version: LoadedVersion, request: InferRequest) -> dict[str, Array]:
        """The outputs that this version gave to the same tensors, or else gives now. Raises as it does."""
        answers = self._models.get(route.name)
        if answers is None or answers.route is not route:
            answers = self._models[route.name] = _Answers(route)
        number = version.entry.version
        used = self._used.setdefault((route.name, number), CacheTimes())
        asked = time.monotonic_ns()
        key = request_key(number, request.inputs, request.outputs)
        kept = answers.get(key)
        if kept is not None:
            if request.deadline_ns and asked >= request.deadline_ns:
                raise late()
            self._hits[route.name] += 1
            used.hits += 1
            used.hit_ns += time.monotonic_ns() - asked
            return dict(kept)
        self._misses[route.name] += 1
        used.misses += 1
        missed = time.monotonic_ns()
        outputs = await version.run(request.inputs, request.outputs, request.deadline_ns)
        answered = time.monotonic_ns()
        if not version.entry.invalid(outputs):
            answers.put(key, outputs)
        used.miss_ns += missed - asked + time.monotonic_ns() - answered
        return outputs

    def used(self, key: VersionKey) -> CacheTimes:
        """What became of a version's requests since the start."""
        return self._used.get(key, CacheTimes())

    @property
    def use(self) -> CacheUse:
        """Requests of each model since it is served, all its versions together: those, too, that left."""
        return CacheUse(dict(self._hits), dict(self._misses))

    def forget(self, models: Mapping[str, ModelRoute]) -> None:
        """Let go of the answers of routes that are not in force any more, and of what became of requests of
        models and versions that none names. May be called from a thread."""
        for name, answers in list(self._models.items()):
            if models.get(name) is not answers.route:
                self._models.pop(name, None)
        for model, version in [*self._used]:
            route = models.get(model)
            if route is None or route.entry(version) is None:
                self._used.pop((model, version), None)
            if route is None:
                self._hits.pop(model, None)
                self._misses.pop(model, None)

    @property
    def held_bytes(self) -> int:
        return sum(answers.held_bytes for answers in list(self._models.values()))


def request_key(version: int, inputs: Tensors, outputs: Iterable[str]) -> bytes:
    """BLAKE2b-256 of all that an answer depends on: one key for requests that are the same to the bit."""
    digest = hashlib.blake2b(digest_size=32)
    digest.update(repr((version, tuple(outputs))).encode())
    for name in sorted(inputs):
        array = inputs[name]
        digest.update(repr((name, array.dtype.name, array.shape)).encode())
        if array.dtype.hasobject:
            for text in array.ravel().tolist():
                digest.update(len(text).to_bytes(8, "little"))
                digest.update(text)
        else:
            digest.update(array.tobytes())
    return digest.digest()


class _Answers:
    """The least recently used go first."""

    def __init__(self, route: ModelRoute) -> None:
        self.route = route
        self.held_bytes = 0
        self._most = route.cache_mb * 2**20
        self._kept: OrderedDict[bytes, tuple[dict[str, Array], int]] = OrderedDict()

    def get(self, key: bytes) -> dict[str, Array] | None:
        found = self._kept.get(key)
        if found is None:
            return None
        self._kept.move_to_end(key)
        return found[0]

    def put(self, key: bytes, outputs: Tensors) -> None:
        size = _ENTRY_BYTES + sum(map(memory_of, outputs.values()))
        if size > self._most or key in self._kept:
            return
        # Copies: an output may be a view into a batch, of which it would keep all.
        self._kept[key] = {name: array.copy() for name, array in outputs.items()}, size
        self.held_bytes += size
        while self.held_bytes > self._most:
            _, (_, freed) = self._kept.popitem(last=False)
            self.held_bytes -= freed
