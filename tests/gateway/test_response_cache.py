"""Answers of requests that come again: the same to the bit, bounded, and gone when the route changes."""

import time
from dataclasses import dataclass, field, replace

import numpy as np
import pytest

from gateway.core.batching import Batching
from gateway.core.figures import CacheUse
from gateway.core.placement import Device, Placed, Placement
from gateway.core.routing import ModelRoute, VersionEntry
from gateway.core.signature import Signature
from gateway.core.types import Array, InferRequest, Tensors
from gateway.errors import ErrorCode, GatewayError
from gateway.response_cache import ResponseCaches, request_key

ENTRY = VersionEntry(1, "", "", Signature((), ()))
ROUTE = ModelRoute("m", (ENTRY,), 1, ((1, 100.0),), cache_mb=1)


@dataclass
class Version:
    """Says how often it was run."""

    entry: VersionEntry = ENTRY
    signature: Signature = ENTRY.signature
    size_bytes: int = 0
    running: int = 0
    batching: Batching = Batching.OFF
    device: Device = Device.CPU
    placed = Placed(Placement.POOL, 1e6)
    runs: int = 0
    answer: dict[str, Array] = field(default_factory=lambda: {"y": np.ones(4, np.float32)})
    failure: GatewayError | None = None

    async def run(self, inputs: Tensors, outputs: tuple[str, ...], deadline_ns: int) -> dict[str, Array]:
        self.runs += 1
        if self.failure is not None:
            raise self.failure
        return self.answer


def request(value: float = 1.0, outputs: tuple[str, ...] = ()) -> InferRequest:
    return InferRequest("m", None, {"x": np.full((1, 2), value, np.float32)}, outputs)


async def test_what_comes_again_does_not_run_again() -> None:
    caches, version = ResponseCaches(), Version()
    for _ in range(3):
        answer = await caches.run(ROUTE, version, request())
        assert answer["y"].tolist() == [1, 1, 1, 1]
        answer.clear()  # what one caller does with its answer is nothing to the next
    await caches.run(ROUTE, version, request(2.0))
    assert version.runs == 2
    assert (caches.use.hits["m"], caches.use.misses["m"]) == (2, 2)
    used = caches.used(("m", 1))
    assert (used.hits, used.misses) == (2, 2)
    assert min(used.hit_ns, used.miss_ns) > 0


def test_a_key_is_of_everything_that_an_answer_depends_on() -> None:
    x: Array = np.zeros((2, 2), np.float32)
    keys = {
        request_key(1, {"x": x}, ()),
        request_key(2, {"x": x}, ()),
        request_key(1, {"x": x}, ("y",)),
        request_key(1, {"z": x}, ()),
        request_key(1, {"x": x.reshape(1, 4)}, ()),
        request_key(1, {"x": x.astype(np.int32)}, ()),
        request_key(1, {"x": np.full((2, 2), -0.0, np.float32)}, ()),
        request_key(1, {"x": np.array([b"ab", b"c"], np.object_)}, ()),
        request_key(1, {"x": np.array([b"a", b"bc"], np.object_)}, ()),
    }
    assert len(keys) == 9
    assert request_key(1, {"a": x, "b": x}, ()) == request_key(1, {"b": x, "a": x}, ())
    assert request_key(1, {"x": x[:, ::-1]}, ()) == request_key(1, {"x": x[:, ::-1].copy()}, ())


async def test_a_route_that_changed_starts_anew() -> None:
    caches, version = ResponseCaches(), Version()
    await caches.run(ROUTE, version, request())
    await caches.run(replace(ROUTE, shadows=()), version, request())
    assert version.runs == 2
    caches.forget({"m": replace(ROUTE, cache_mb=0)})
    assert caches.held_bytes == 0
    assert caches.used(("m", 1)).misses == 2
    caches.forget({})
    assert caches.used(("m", 1)).misses == 0


async def test_a_version_that_leaves_takes_no_count_along() -> None:
    """Else the count of its model falls, which reads as one that began anew: all of it would count again."""
    caches, ends, goes_on = ResponseCaches(), Version(), Version(replace(ENTRY, version=2))
    both = replace(ROUTE, versions=(ENTRY, goes_on.entry))
    for version in (ends, ends, ends, goes_on, goes_on):
        await caches.run(both, version, request())
    before = caches.use
    caches.forget({"m": replace(both, versions=(goes_on.entry,), champion=2, weights=((2, 100.0),))})
    await caches.run(both, goes_on, request())
    more = caches.use.since(before)
    assert (more.hits, more.misses) == ({}, {"m": 1})
    caches.forget({})
    assert caches.use == CacheUse()


async def test_what_comes_too_late_is_late_also_where_it_is_kept() -> None:
    caches, version = ResponseCaches(), Version()
    await caches.run(ROUTE, version, request())
    now = time.monotonic_ns()
    assert await caches.run(ROUTE, version, replace(request(), deadline_ns=now + 10**12))
    with pytest.raises(GatewayError) as refused:
        await caches.run(ROUTE, version, replace(request(), deadline_ns=now))
    assert refused.value.code is ErrorCode.DEADLINE
    assert caches.use.hits["m"] == 1


async def test_failures_are_never_kept() -> None:
    caches = ResponseCaches()
    failing = Version(failure=GatewayError(ErrorCode.INTERNAL, "it failed"))
    nothing = Version(answer={"y": np.array([np.nan], np.float32)})
    for _ in range(2):
        with pytest.raises(GatewayError, match="it failed"):
            await caches.run(ROUTE, failing, request())
        await caches.run(ROUTE, nothing, request())
    assert (failing.runs, nothing.runs) == (2, 2)
    assert caches.held_bytes == 0


async def test_memory_is_bounded_and_the_longest_unused_go_first() -> None:
    whole: Array = np.zeros((100, 100_000), np.uint8)
    caches, version = ResponseCaches(), Version(answer={"y": whole[0]})  # a view: not all of it is kept
    for value in range(8):
        await caches.run(ROUTE, version, request(value))
        await caches.run(ROUTE, version, request(0))
    assert 800_000 < caches.held_bytes <= 2**20
    await caches.run(ROUTE, version, request(8))
    for value in range(5):
        await caches.run(ROUTE, version, request(9 + value))
    runs = version.runs
    await caches.run(ROUTE, version, request(1))
    assert version.runs == runs + 1  # it made room
    version.answer = {"y": np.zeros(2**21, np.uint8)}
    await caches.run(ROUTE, version, request(99))  # more than the whole cache: not kept
    assert caches.held_bytes <= 2**20
