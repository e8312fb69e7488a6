"""Applying route tables: nothing is routed before it is loaded, nothing is let go while it is routed."""

from collections.abc import Mapping
from dataclasses import dataclass, field

import pytest

from gateway.core.routing import ModelRoute, RouteTable, VersionEntry
from gateway.core.signature import Signature
from gateway.core.types import Array
from gateway.errors import ErrorCode, GatewayError
from gateway.ports import LoadedVersion
from gateway.runtime.live import LiveRoutes


@dataclass
class Held:
    entry: VersionEntry

    @property
    def signature(self) -> Signature:
        return self.entry.signature

    async def run(
        self, inputs: Mapping[str, Array], outputs: tuple[str, ...], deadline_ns: int
    ) -> dict[str, Array]:
        return {}


@dataclass
class Shelf:
    """A loader that notes what happens, and refuses versions whose digest is `broken`."""

    story: list[str] = field(default_factory=list)

    async def load(self, model: str, entry: VersionEntry) -> LoadedVersion:
        if entry.digest == "broken":
            raise GatewayError(ErrorCode.INTERNAL, "it is broken")
        self.story.append(f"load {entry.version}")
        return Held(entry)

    async def unload(self, version: LoadedVersion) -> None:
        self.story.append(f"unload {version.entry.version}")

    def swapped(self, generation: int) -> None:
        self.story.append(f"swap {generation}")


def table(
    generation: int, weights: dict[int, float], broken: int = 0, held: tuple[int, ...] = ()
) -> RouteTable:
    numbers = sorted({*weights, *held})
    entries = tuple(
        VersionEntry(n, "", "broken" if n == broken else f"digest {n}", Signature((), ())) for n in numbers
    )
    champion = max(weights, key=lambda n: weights[n])
    return RouteTable(generation, {"m": ModelRoute("m", entries, champion, tuple(weights.items()))})


@pytest.fixture
def shelf() -> Shelf:
    return Shelf()


@pytest.fixture
def routes(shelf: Shelf) -> LiveRoutes:
    return LiveRoutes(shelf, shelf.swapped)


async def test_load_then_swap_then_release(shelf: Shelf, routes: LiveRoutes) -> None:
    await routes.apply(table(1, {1: 100}))
    await routes.apply(table(2, {2: 100}))
    assert shelf.story == ["load 1", "swap 1", "load 2", "swap 2", "unload 1"]
    assert routes.table.generation == 2
    assert routes.held == {("m", 2)}


async def test_what_is_loaded_is_not_loaded_again(shelf: Shelf, routes: LiveRoutes) -> None:
    await routes.apply(table(1, {1: 100}, held=(2,)))
    await routes.apply(table(2, {1: 50, 2: 50}))
    assert shelf.story == ["load 1", "load 2", "swap 1", "swap 2"]


async def test_a_broken_version_never_gets_traffic(shelf: Shelf, routes: LiveRoutes) -> None:
    await routes.apply(table(1, {1: 100}))
    await routes.apply(table(2, {1: 50, 2: 50}, broken=2))
    assert routes.table.models["m"].weights == ((1, 100),)
    assert routes.failed == {("m", 2)}
    assert "unload 1" not in shelf.story


async def test_a_version_that_is_not_loaded_is_not_ready(routes: LiveRoutes) -> None:
    await routes.apply(table(1, {1: 100}))
    with pytest.raises(GatewayError) as refused:
        routes.loaded("m", 7)
    assert refused.value.code is ErrorCode.NOT_READY
