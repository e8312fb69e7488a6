"""What is in memory: within the budget, the longest unused out, nothing in use ever."""

import asyncio
import gc
import time
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.core.placement import Placement
from gateway.core.routing import VersionEntry
from gateway.errors import ErrorCode, GatewayError
from gateway.ports import LoadedVersion
from gateway.runtime.residence import Residence
from tests.gateway.runtime.shelf import Held, Shelf, entry

SIZE = 10


def made(shelf: Shelf, versions: int = 2, *, most_waiting: int = 100, max_wait_s: float = 30.0) -> Residence:
    """With room for so many versions."""
    return Residence(shelf, versions * SIZE, most_waiting, max_wait_s)


async def ask(residence: Residence, version: int, deadline_ns: int = 0) -> Any:
    return residence.get(("m", version)) or await residence.wait_for("m", entry(version), deadline_ns)


async def refused(residence: Residence, version: int, deadline_ns: int = 0) -> ErrorCode:
    with pytest.raises(GatewayError) as caught:
        await ask(residence, version, deadline_ns)
    return caught.value.code


async def test_the_longest_unused_makes_room() -> None:
    shelf = Shelf()
    residence = made(shelf)
    for version in (1, 2, 1, 3):
        await ask(residence, version)
    assert shelf.story == ["load 1", "load 2", "load 3", "unload 2"]
    use = residence.use
    assert (use.placements, use.held_bytes, use.loads, use.evictions) == ({Placement.POOL: 2}, 2 * SIZE, 3, 1)
    assert residence.placed.keys() == {("m", 1), ("m", 3)}


async def test_what_runs_is_never_evicted() -> None:
    shelf = Shelf()
    residence = made(shelf)
    first = await ask(residence, 1)
    await ask(residence, 2)
    first.running = 1
    await ask(residence, 3)
    assert residence.get(("m", 1)) is first
    assert shelf.story[-1] == "unload 2"


async def test_with_all_in_use_there_is_no_room_until_a_run_ends() -> None:
    residence = made(Shelf(), 1)
    busy: Held = await ask(residence, 1)
    busy.running = 1
    assert await refused(residence, 2, time.monotonic_ns() + 1_000_000) is ErrorCode.DEADLINE
    patient = asyncio.create_task(ask(residence, 2))
    await asyncio.sleep(0)
    busy.running = 0
    assert (await patient).entry.version == 2


async def test_one_load_serves_all_that_wait() -> None:
    shelf = Shelf()
    shelf.gate.clear()
    residence = made(shelf)
    asking = [asyncio.create_task(ask(residence, 1)) for _ in range(50)]
    await asyncio.sleep(0)
    shelf.gate.set()
    assert len({id(version) for version in await asyncio.gather(*asking)}) == 1
    assert shelf.story == ["load 1"]


async def test_what_is_waited_for_does_not_make_room_for_the_next_load() -> None:
    residence = made(Shelf(), 1)
    first, second = asyncio.create_task(ask(residence, 1)), asyncio.create_task(ask(residence, 2))
    assert (await first).entry.version == 1
    assert (await second).entry.version == 2


async def test_a_caller_waits_until_its_deadline_and_the_load_goes_on() -> None:
    shelf = Shelf()
    shelf.gate.clear()
    residence = made(shelf, max_wait_s=0.01)
    patient = asyncio.create_task(residence.bring("m", entry(1)))
    assert await refused(residence, 1, time.monotonic_ns() + 1_000_000) is ErrorCode.DEADLINE
    assert await refused(residence, 1) is ErrorCode.NOT_READY
    shelf.gate.set()
    await patient
    assert residence.get(("m", 1)) is not None


async def test_only_so_many_may_wait() -> None:
    shelf = Shelf()
    shelf.gate.clear()
    residence = made(shelf, most_waiting=2)
    asking = [asyncio.create_task(ask(residence, version)) for version in (1, 2)]
    await asyncio.sleep(0)
    assert await refused(residence, 1) is ErrorCode.NOT_READY
    shelf.gate.set()
    await asyncio.gather(*asking)


async def test_a_load_that_nobody_waits_for_any_more_is_not_begun() -> None:
    shelf = Shelf()
    shelf.gate.clear()
    residence = made(shelf)
    first, gone = asyncio.create_task(ask(residence, 1)), asyncio.create_task(ask(residence, 2))
    await asyncio.sleep(0)
    gone.cancel()
    await asyncio.wait({gone})
    shelf.gate.set()
    await first
    await asyncio.sleep(0.01)
    assert shelf.story == ["load 1"]
    assert residence.failures.reasons == {}


async def test_a_broken_version_is_told_and_not_tried_by_every_request() -> None:
    shelf = Shelf()
    residence = made(shelf)
    for _ in range(3):
        with pytest.raises(GatewayError, match="it is broken") as caught:
            await residence.wait_for("m", entry(1, "broken"), 0)
        assert caught.value.code is ErrorCode.NOT_READY
    assert shelf.story == ["load 1"]
    assert residence.failures.reasons == {("m", 1): "it is broken"}
    await residence.bring("m", entry(1))
    assert residence.failures.reasons == {}


async def test_a_load_that_fails_in_no_foreseen_way_is_told_as_any_other(
    caplog: pytest.LogCaptureFixture,
) -> None:
    residence = made(Shelf())
    with pytest.raises(GatewayError, match="the worker's log says why"):
        await residence.bring("m", entry(1, "huge"))
    assert residence.failures.reasons == {("m", 1): "it failed while it loaded; the worker's log says why"}
    assert "loading version 1 of m fails" in caplog.text
    await residence.bring("m", entry(2))


async def test_a_version_that_is_larger_than_the_budget_does_not_stay() -> None:
    shelf = Shelf(size_bytes=3 * SIZE)
    residence = made(shelf)
    with pytest.raises(GatewayError, match="finds no room"):
        await residence.bring("m", entry(1))
    assert (residence.use.versions, residence.use.held_bytes) == (0, 0)
    assert shelf.story == ["load 1", "unload 1"]
    with pytest.raises(GatewayError, match="finds no room"):
        await residence.bring("m", entry(1))
    assert shelf.story == ["load 1", "unload 1"], "its size is known by now"


async def test_closing_ends_loads() -> None:
    shelf = Shelf()
    shelf.gate.clear()
    residence = made(shelf)
    asking = asyncio.create_task(ask(residence, 1))
    await asyncio.sleep(0)
    await residence.close()
    with pytest.raises(asyncio.CancelledError):
        await asking


async def test_what_is_let_go_while_it_loads_does_not_stay() -> None:
    for digest in ("", "broken"):
        shelf = Shelf()
        shelf.gate.clear()
        residence = made(shelf)
        asking = asyncio.create_task(residence.wait_for("m", entry(1, digest), 0))
        await asyncio.sleep(0.001)
        residence.let_go([("m", 1)])
        shelf.gate.set()
        with pytest.raises(GatewayError) as caught:
            await asking
        assert caught.value.code is ErrorCode.NOT_READY
        assert (residence.use.versions, residence.use.held_bytes, residence.failures.reasons) == (0, 0, {})
        await asyncio.sleep(0)
        assert (await ask(residence, 1)).entry.version == 1


async def test_what_is_wanted_again_while_it_loads_stays() -> None:
    shelf = Shelf()
    shelf.gate.clear()
    residence = made(shelf)
    asking = asyncio.create_task(ask(residence, 1))
    await asyncio.sleep(0.001)
    residence.let_go([("m", 1)])
    again = asyncio.create_task(residence.bring("m", entry(1)))
    await asyncio.sleep(0)
    shelf.gate.set()
    await asyncio.gather(asking, again)
    assert residence.has(("m", 1))
    assert shelf.story == ["load 1"]


async def test_what_was_let_go_does_not_stay_because_its_number_is_wanted_again() -> None:
    shelf = Shelf()
    shelf.gate.clear()
    residence = made(shelf)
    asking = asyncio.create_task(ask(residence, 1))
    await asyncio.sleep(0.001)
    residence.let_go([("m", 1)])
    again = asyncio.create_task(residence.bring("m", entry(1, "broken")))
    await asyncio.sleep(0)
    shelf.gate.set()
    answers = await asyncio.gather(asking, again, return_exceptions=True)
    assert [type(answer) for answer in answers] == [GatewayError, GatewayError]
    assert not residence.has(("m", 1))


class FailsOnce(Shelf):
    async def load(self, model: str, entry: VersionEntry) -> LoadedVersion:
        version = await super().load(model, entry)
        if len(self.story) == 1:
            raise GatewayError(ErrorCode.INTERNAL, "it failed once")
        return version


async def test_a_load_that_ends_does_not_make_the_next_one_stay() -> None:
    async def let_go() -> None:
        residence.let_go([("m", 1)])

    shelf = FailsOnce()
    shelf.gate.clear()
    residence = made(shelf)
    asking = asyncio.create_task(ask(residence, 1))
    await asyncio.sleep(0.001)
    shelf.gate.set()
    # In the turn in which the load ends, before that is noted, it begins anew and its version goes.
    again = asyncio.create_task(residence.bring("m", entry(1)))
    await asyncio.gather(asking, again, let_go(), return_exceptions=True)
    assert shelf.story == ["load 1"]
    assert not residence.has(("m", 1))


EVENTS = st.lists(st.tuples(st.sampled_from(["ask", "run", "rest", "keep"]), st.integers(1, 6)), max_size=40)


@settings(max_examples=100, deadline=None)
@given(EVENTS)
def test_no_sequence_of_events_breaks_the_budget_or_takes_what_is_in_use(
    events: list[tuple[str, int]],
) -> None:
    async def play() -> None:
        residence, running = made(Shelf(), 3, max_wait_s=0.001), dict[int, Held]()
        for event, version in events:
            if event == "ask":
                try:
                    await ask(residence, version)
                except GatewayError:
                    assert len(running.keys() | {key[1] for key in residence.kept}) >= 3
            elif event == "run" and (held := residence.get(("m", version))):
                assert isinstance(held, Held)
                held.running, running[version] = 1, held
            elif event == "rest" and version in running:
                running.pop(version).running = 0
            elif event == "keep" and residence.get(("m", version)):
                residence.kept.add(("m", version))
            assert residence.held_bytes == residence.use.versions * SIZE <= residence.budget_bytes
            assert all(residence.get(("m", version)) is held for version, held in running.items())
            assert all(residence.get(key) is not None for key in residence.kept)

    asyncio.run(play())


async def test_want_of_room_is_told_from_a_broken_version() -> None:
    residence = made(Shelf(), 1)
    await ask(residence, 1)
    residence.kept.add(("m", 1))
    for wanted in (entry(2), entry(3, "broken")):
        with pytest.raises(GatewayError):
            await residence.bring("m", wanted)
    assert residence.failures.reasons.keys() == {("m", 2), ("m", 3)}
    assert residence.failures.no_room == {("m", 2)}


async def test_another_profile_of_the_same_file_needs_no_room() -> None:
    shelf = Shelf()
    residence = made(shelf, 1)
    await ask(residence, 1)
    residence.kept.add(("m", 1))
    profiled = replace(entry(1), profile_digest="of a profile")
    assert not residence.holds("m", profiled)
    await residence.bring("m", profiled)
    assert residence.holds("m", profiled)
    assert residence.use.held_bytes == SIZE


async def test_a_load_that_found_no_room_leaves_nothing_in_memory() -> None:
    shelf = Shelf(size_bytes=3 * SIZE)
    residence = made(shelf)
    with pytest.raises(GatewayError, match="finds no room"):
        await residence.bring("m", entry(1))
    await asyncio.sleep(0)
    gc.collect()
    assert residence.failures.reasons
    assert shelf.alive == 0


async def test_what_finds_no_room_leaves_its_predecessor_of_the_same_number_in_service() -> None:
    shelf = Shelf()
    residence = made(shelf)
    first = await ask(residence, 1)
    shelf.size_bytes = 3 * SIZE
    with pytest.raises(GatewayError, match="finds no room"):
        await residence.bring("m", entry(1, "larger"))
    assert residence.get(("m", 1)) is first
    assert residence.held_bytes == SIZE


async def test_a_successor_of_the_same_number_takes_the_place_of_what_it_replaces() -> None:
    shelf = Shelf()
    residence = made(shelf, 1)
    await ask(residence, 1)
    residence.kept.add(("m", 1))
    await residence.bring("m", entry(1, "another"))
    assert shelf.story == ["load 1", "load 1", "unload 1"]
    assert residence.held_bytes == SIZE
