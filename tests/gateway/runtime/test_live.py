"""Applying route tables: nothing is routed before it is loaded, nothing is let go while it is routed."""

import asyncio

import pytest

from gateway.core.delta import difference
from gateway.core.routing import ModelRoute, RouteTable
from gateway.errors import ErrorCode, GatewayError
from gateway.runtime.failures import NoRoom
from gateway.runtime.live import LiveRoutes
from gateway.runtime.residence import Residence
from tests.gateway.runtime.shelf import Shelf, entry


def table(
    generation: int,
    weights: dict[int, float],
    *,
    broken: int = 0,
    held: tuple[int, ...] = (),
    resident: bool = False,
) -> RouteTable:
    entries = tuple(entry(n, "broken" if n == broken else "") for n in sorted({*weights, *held}))
    champion = max(weights, key=lambda n: weights[n])
    route = ModelRoute("m", entries, champion, tuple(weights.items()), held=held, resident=resident)
    return RouteTable(generation, {"m": route})


@pytest.fixture
def shelf() -> Shelf:
    return Shelf()


@pytest.fixture
def residence(shelf: Shelf) -> Residence:
    """With room for two versions."""
    return Residence(shelf, 2 * shelf.size_bytes, most_waiting=9, max_wait_s=1.0)


@pytest.fixture
def routes(shelf: Shelf, residence: Residence) -> LiveRoutes:
    return LiveRoutes(residence, shelf.swapped)


async def test_load_then_swap_then_release(shelf: Shelf, routes: LiveRoutes) -> None:
    await routes.apply(table(1, {1: 100}))
    await routes.apply(table(2, {2: 100}))
    assert shelf.story == ["load 1", "swap 1", "load 2", "swap 2", "unload 1"]
    assert routes.table.generation == 2
    assert (routes.loaded("m", 1), routes.loaded("m", 2) is None) == (None, False)


async def test_a_delta_does_as_the_whole_table_does(shelf: Shelf, routes: LiveRoutes) -> None:
    first = RouteTable(1, {**table(1, {1: 100}).models, "n": ModelRoute("n", (entry(7),))})
    second = table(2, {2: 100})
    await routes.apply(first)
    await routes.apply(difference(first, second))
    assert (routes.table, routes.given) == (second, second)
    assert shelf.story[-3:] == ["swap 2", *sorted(["unload 1", "unload 7"], key=shelf.story.index)]


async def test_a_delta_of_another_table_is_refused(routes: LiveRoutes) -> None:
    with pytest.raises(ValueError, match="does not fit"):
        await routes.apply(difference(table(1, {1: 100}), table(2, {2: 100})))


async def test_what_is_loaded_is_not_loaded_again(shelf: Shelf, routes: LiveRoutes) -> None:
    await routes.apply(table(1, {1: 100}, held=(2,)))
    assert routes.held == {("m", 2)}
    await routes.apply(table(2, {1: 50, 2: 50}))
    assert shelf.story == ["load 2", "load 1", "swap 1", "swap 2"]


async def test_a_broken_version_never_gets_traffic(shelf: Shelf, routes: LiveRoutes) -> None:
    await routes.apply(table(1, {1: 100}))
    await routes.apply(table(2, {1: 50, 2: 50}, broken=2))
    assert routes.table.models["m"].weights == ((1, 100),)
    assert routes.failed == {("m", 2): "it is broken"}
    assert "unload 1" not in shelf.story


async def test_a_model_that_was_held_back_follows_as_soon_as_it_can(routes: LiveRoutes) -> None:
    await routes.apply(table(1, {1: 100}))
    wanted = table(2, {1: 50, 2: 50}, broken=2)
    await routes.apply(wanted)
    await routes.apply(difference(wanted, table(3, {1: 50, 2: 50})))
    assert (routes.table, routes.failed) == (table(3, {1: 50, 2: 50}), {})


async def test_going_back_to_what_is_in_memory_ends_a_failure(routes: LiveRoutes) -> None:
    await routes.apply(table(1, {1: 100}))
    await routes.apply(table(2, {1: 100}, broken=1))
    assert routes.failed == {("m", 1): "it is broken"}
    await routes.apply(table(3, {1: 100}))
    assert (routes.table, routes.failed) == (table(3, {1: 100}), {})


async def test_what_lost_its_place_is_told_until_it_is_back_and_holds_no_table_back(
    routes: LiveRoutes, residence: Residence
) -> None:
    await routes.apply(table(1, {1: 100}))
    residence.note_lost(("m", 1), NoRoom(ErrorCode.NOT_READY, "others hold it"))
    assert routes.failed == {("m", 1): "others hold it"}
    assert routes.no_room == {("m", 1)}
    await routes.apply(table(2, {1: 90, 2: 10}))
    assert routes.table.models["m"].weights == ((1, 90), (2, 10))
    residence.note_lost(("m", 1), None)
    assert routes.failed == {}
    residence.note_lost(("m", 1), GatewayError(ErrorCode.INTERNAL, "the artifact is gone"))
    await routes.apply(table(3, {2: 100}))
    assert routes.failed == {}


async def test_what_finds_no_room_is_loaded_when_it_is_asked_for(shelf: Shelf, routes: LiveRoutes) -> None:
    await routes.apply(table(1, {1: 40, 2: 30, 3: 30}))
    assert shelf.story == ["load 1", "load 2", "swap 1"]
    assert routes.loaded("m", 1) is not None  # so 2 is the longest unused
    assert routes.loaded("m", 3) is None
    assert (await routes.load("m", 3, 0)).entry.version == 3
    assert shelf.story[3:] == ["load 3", "unload 2"]
    assert routes.failed == {}


async def test_what_is_to_stay_is_in_memory_before_the_swap_and_stays(
    shelf: Shelf, routes: LiveRoutes
) -> None:
    await routes.apply(table(1, {1: 50, 2: 50}))
    await routes.apply(table(2, {1: 50, 2: 50}, held=(3,)))
    assert shelf.story[3:] == ["load 3", "unload 1", "swap 2"]
    await routes.load("m", 1, 0)
    await routes.load("m", 2, 0)
    assert routes.loaded("m", 3) is not None
    await routes.apply(table(3, {1: 50, 2: 50}))
    assert routes.loaded("m", 3) is None


async def test_what_is_to_stay_and_finds_no_room_is_told(routes: LiveRoutes) -> None:
    await routes.apply(table(1, {1: 50, 2: 50}, resident=True))
    await routes.apply(table(2, {1: 50, 2: 50}, held=(3,), resident=True))
    assert "finds no room" in routes.failed["m", 3]
    assert routes.held == frozenset()
    await routes.apply(table(3, {1: 50, 2: 25, 3: 25}, resident=True))
    assert (routes.table.generation, routes.table.models["m"].weights) == (3, ((1, 50), (2, 50)))


async def test_a_start_in_little_time_loads_the_rest_beside_requests(
    shelf: Shelf, routes: LiveRoutes
) -> None:
    await routes.apply(table(1, {1: 50, 2: 50}, held=(2,)), within_s=0.0)
    assert shelf.story == ["load 2", "swap 1"]
    await routes.fill()
    assert shelf.story == ["load 2", "swap 1", "load 1"]


async def test_what_leaves_while_the_rest_loads_is_not_loaded_any_more(
    shelf: Shelf, routes: LiveRoutes, residence: Residence
) -> None:
    await routes.apply(table(1, {1: 50, 2: 50}), within_s=0.0)
    shelf.gate.clear()
    filling = asyncio.create_task(routes.fill())
    await asyncio.sleep(0.001)
    await routes.apply(RouteTable(2, {}))
    shelf.gate.set()
    await filling
    assert shelf.story == ["swap 1", "load 1", "swap 2", "unload 1"]
    assert (residence.use.versions, residence.use.held_bytes) == (0, 0)


async def test_a_version_that_is_not_in_the_table_is_not_ready(routes: LiveRoutes) -> None:
    await routes.apply(table(1, {1: 100}))
    with pytest.raises(GatewayError) as refused:
        await routes.load("m", 7, 0)
    assert refused.value.code is ErrorCode.NOT_READY


async def test_closing_lets_go_of_everything(routes: LiveRoutes, residence: Residence) -> None:
    await routes.apply(table(1, {1: 100}, held=(2,)))
    await routes.close()
    assert (residence.use.versions, residence.use.held_bytes, routes.table.models) == (0, 0, {})
