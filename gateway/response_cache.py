"""Answers kept for requests that come again, of models whose route says so. A worker's own; bounded in bytes.

Never keeps a failure. A route that changed in any way starts anew, with nothing.
"""

import hashlib
from collections import Counter, OrderedDict
from collections.abc import Iterable, Mapping

from gateway.core.finite import nonfinite
from gateway.core.routing import ModelRoute
from gateway.core.types import Array, InferRequest, Tensors
from gateway.ports import LoadedVersion

_ENTRY_BYTES = 512
"""What an entry takes beside its tensors."""


class ResponseCaches:
    """One cache per model. Lives in the event loop."""

    def __init__(self) -> None:
        self.hits: Counter[str] = Counter()
        self.misses: Counter[str] = Counter()
        self._models: dict[str, _Answers] = {}

    async def run(self, route: ModelRoute, version: LoadedVersion, request: InferRequest) -> dict[str, Array]:
        """The outputs that this version gave to the same tensors, or else gives now. Raises as it does."""
        answers = self._models.get(route.name)
        if answers is None or answers.route is not route:
            answers = self._models[route.name] = _Answers(route)
        key = request_key(version.entry.version, request.inputs, request.outputs)
        kept = answers.get(key)
        if kept is not None:
            self.hits[route.name] += 1
            return dict(kept)
        self.misses[route.name] += 1
        outputs = await version.run(request.inputs, request.outputs, request.deadline_ns)
        if not nonfinite(outputs):
            answers.put(key, outputs)
        return outputs

    def forget(self, models: Mapping[str, ModelRoute]) -> None:
        """Let go of the answers of routes that are not in force any more."""
        for name, answers in list(self._models.items()):
            if models.get(name) is not answers.route:
                self._models.pop(name, None)

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
        size = _ENTRY_BYTES + sum(map(_size, outputs.values()))
        if size > self._most or key in self._kept:
            return
        # Copies: an output may be a view into a batch, of which it would keep all.
        self._kept[key] = {name: array.copy() for name, array in outputs.items()}, size
        self.held_bytes += size
        while self.held_bytes > self._most:
            _, (_, freed) = self._kept.popitem(last=False)
            self.held_bytes -= freed


def _size(array: Array) -> int:
    texts = sum(map(len, array.ravel().tolist())) if array.dtype.hasobject else 0
    return array.nbytes + texts
