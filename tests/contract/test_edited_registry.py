"""Whatever people and the controller do, the ledger agrees with the registry, and with no edit of it.

By real commands over a real database, which is then edited with its own means.
"""

import asyncio
import contextlib
import tempfile
from collections.abc import Callable
from dataclasses import replace
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import text

from gateway.core.keys import KeyRole
from gateway.core.limits import ModelLimits
from gateway.core.placement import Placement
from lifecycle.commands.governance import audit
from lifecycle.commands.governance.keys import Keys
from lifecycle.commands.publish import Publisher
from lifecycle.commands.registry.catalogue import Catalogue, Words
from lifecycle.commands.registry.intake import Submission
from lifecycle.commands.rollouts import Rollouts
from lifecycle.commands.traffic import Traffic
from lifecycle.controller import Controller
from lifecycle.core.inspection import Inspection
from lifecycle.core.rollouts.plan import preset
from lifecycle.core.verdict import Finding, Verdict
from lifecycle.errors import LifecycleError
from tests.lifecycle.desk import onnx_bytes
from tests.lifecycle.registry import GOOD, House
from tests.lifecycle.world import FakeFleet

BAD = Inspection(None, (Finding("load", Verdict.FAIL, "it does not load", {"seconds": 0.1 + 0.2}),))
PLAN = replace(
    preset("manual"),
    bake_seconds=0,
    steps=tuple(
        replace(step, min_seconds=0, min_requests=0) for step in preset("manual").steps if not step.shadow
    ),
)


class Place:
    """Model `m` and what people may do with it."""

    def __init__(self, home: Path) -> None:
        self.house, self.home, self.fleet = House(home), home, FakeFleet()
        self.store, self.publisher = self.house.store, Publisher(self.house.store, self.fleet)
        self.clock = count(100.0).__next__
        self.traffic = Traffic(self.store, self.fleet, self.publisher, self.clock)
        self.rollouts = Rollouts(self.store, self.publisher, self.clock)
        self.catalogue = Catalogue(self.store, self.publisher)
        self.keys = Keys(self.store, self.publisher.commit, self.clock)
        self.controller = Controller(self.store, self.fleet, self.publisher)

    async def register(self, recipe: str = "") -> None:
        path = self.home / "model.onnx"
        number = len(self.store.versions("m")) + 1
        path.write_bytes(onnx_bytes(str(number)))
        await self.house.models.register("m", path, actor="ann", given=Submission(recipe=recipe))

    async def serve(self, number: int) -> None:
        await self.house.validation.validate("m", number, "ann")
        await self.traffic.set("m", {number: 100.0}, actor="ann")

    async def fail(self, number: int) -> None:
        self.house.sandbox.says = BAD
        try:
            await self.house.validation.validate("m", number, "bob")
        finally:
            self.house.sandbox.says = GOOD

    async def tick(self, broken: int = 0) -> None:
        self.fleet.broken = {("m", broken)} if broken else set()
        self.fleet.wake()
        for _ in range(3):
            self.controller.tick(self.clock(), [])

    def differences(self) -> list[str]:
        found = audit.verify(self.store)
        assert found.problem is None
        assert found.registry.partial == 0
        return [str(each) for each in found.registry.differences]


NUMBERS = st.integers(1, 4)
Doing = Callable[[Place], Any]


def doing(make: Callable[..., Doing], *given: st.SearchStrategy[Any]) -> st.SearchStrategy[Doing]:
    return st.tuples(*given).map(lambda drawn: make(*drawn))


DEEDS = st.one_of(
    doing(lambda r: lambda p: p.register(r), st.sampled_from(["", "a:b", "c:d"])),
    doing(lambda n: lambda p: p.house.validation.validate("m", n, "ann"), NUMBERS),
    doing(lambda n: lambda p: p.fail(n), NUMBERS),
    doing(lambda n: lambda p: p.house.models.reject("m", n, "bob"), NUMBERS),
    doing(lambda n: lambda p: p.house.models.retire("m", n, "bob"), NUMBERS),
    doing(lambda n: lambda p: p.serve(n), NUMBERS),
    doing(lambda n, k: lambda p: p.traffic.set("m", {n: 75.0, k: 25.0}, actor="ann"), NUMBERS, NUMBERS),
    doing(lambda n, k: lambda p: p.traffic.set("m", {n: 100.0}, [k], actor="ann"), NUMBERS, NUMBERS),
    doing(lambda: lambda p: p.traffic.stop("m", actor="ann")),
    doing(lambda: lambda p: p.traffic.rollback("m", actor="ann")),
    doing(lambda n: lambda p: p.traffic.limit("m", ModelLimits(n), actor="ann"), NUMBERS),
    doing(
        lambda w: lambda p: p.traffic.place("m", w, actor="ann"),
        st.sampled_from([Placement.INLINE, Placement.POOL]),
    ),
    doing(lambda n: lambda p: p.traffic.cache("m", n, actor="ann"), NUMBERS),
    doing(lambda yes: lambda p: p.traffic.keep("m", yes, actor="ann"), st.booleans()),
    doing(lambda n: lambda p: p.rollouts.start("m", n, PLAN, "ann"), NUMBERS),
    doing(lambda: lambda p: p.rollouts.pause("m", "ann")),
    doing(lambda: lambda p: p.rollouts.resume("m", "ann")),
    doing(lambda: lambda p: p.rollouts.promote("m", "bob")),
    doing(lambda: lambda p: p.rollouts.abort("m", "bob")),
    doing(lambda n: lambda p: p.tick(n), st.integers(0, 4)),
    doing(lambda n: lambda p: p.catalogue.alias("m", "good", n, "ann"), NUMBERS),
    doing(lambda: lambda p: p.catalogue.unalias("m", "good", "ann")),
    doing(
        lambda n: lambda p: p.catalogue.describe("m", n, Words(owner="x", tags={"a": "b"}), "ann"), NUMBERS
    ),
    doing(
        lambda s: lambda p: p.keys.create("k", KeyRole.VIEWER, actor="ann", subject=s),
        st.sampled_from(["", "CN=k"]),
    ),
    doing(lambda: lambda p: p.keys.revoke("k", "ann")),
)


async def carried_out(place: Place, deeds: list[Doing]) -> None:
    for deed in deeds:
        with contextlib.suppress(LifecycleError):
            done = deed(place)
            if asyncio.iscoroutine(done):
                await done


@settings(max_examples=15, deadline=None)
@given(deeds=st.lists(DEEDS, min_size=5, max_size=25))
def test_no_sequence_of_commands_is_at_odds_with_the_ledger(deeds: list[Doing]) -> None:
    with tempfile.TemporaryDirectory() as home:
        place = Place(Path(home))
        begin: list[Doing] = [
            lambda p: p.register(),
            lambda p: p.serve(1),
            lambda p: p.register(),
            lambda p: p.serve(2),
        ]
        asyncio.run(carried_out(place, [*begin, *deeds]))
        assert place.differences() == []
        place.store.close()


async def lived(home: Path) -> Place:
    """Two versions served, 3 in a rollout that is paused, 4 rejected; a key, an alias, limits."""
    place = Place(home)
    deeds: list[Doing] = [
        lambda p: p.register("a:b"),
        lambda p: p.serve(1),
        lambda p: p.register(),
        lambda p: p.serve(2),
        lambda p: p.register(),
        lambda p: p.house.validation.validate("m", 3, "ann"),
        lambda p: p.register(),
        lambda p: p.fail(4),
        lambda p: p.catalogue.alias("m", "good", 1, "ann"),
        lambda p: p.keys.create("k", KeyRole.VIEWER, actor="ann"),
        lambda p: p.rollouts.start("m", 3, PLAN, "ann"),
        lambda p: p.tick(),
        lambda p: p.rollouts.pause("m", "bob"),
    ]
    await carried_out(place, deeds)
    return place


EDITS = [
    ("models", "champion", "1"),
    ("models", "previous", "2"),
    ("models", "weights", "[[2, 10.0], [3, 90.0]]"),
    ("models", "shadows", "[1]"),
    ("models", "held", "[]"),
    ("models", "limits", '{"max_concurrency": 1, "max_queue": 0}'),
    ("models", "placement", '"dedicated"'),
    ("models", "resident", "true"),
    ("models", "cache_mb", "9"),
    ("models", "aliases", '{"good": 3}'),
    ("models", "recipe", '"evil:train"'),
    ("versions", "stage", '"approved"'),
    ("versions", "evidence", "[]"),
    ("versions", "lineage.cause", '"better"'),
    ("versions", "description.owner", '"eve"'),
    ("rollouts", "phase", '"promoted"'),
    ("rollouts", "champion", "1"),
    ("rollouts", "previous", "0"),
    ("rollouts", "version", "4"),
    ("rollouts", "step", "1"),
    ("rollouts", "paused_at", "null"),
    ("rollouts", "promoter", '"eve"'),
    ("rollouts", "overrides", "true"),
    ("rollouts", "started_by", '"eve"'),
    ("rollouts", "plan.bake_seconds", "9"),
    ("keys", "digest", '"0"'),
    ("keys", "role", '"admin"'),
    ("keys", "models", '["x"]'),
    ("keys", "expires_at", "1.0"),
    ("keys", "owner", '"eve"'),
]
FACTS = {"paused_at": "paused"}
LAST = {"versions": "WHERE number = 4"}


async def test_every_edit_is_named_with_the_record_that_says_otherwise(tmp_path: Path) -> None:
    place = await lived(tmp_path)
    assert place.differences() == []
    records = place.store.records()
    for table, path, value in EDITS:
        where = LAST.get(table, "")
        with place.store._engine.begin() as connection:
            (before,) = connection.execute(text(f"SELECT body FROM {table} {where}")).scalars()
            edit = text(f"UPDATE {table} SET body = json_set(body, '$.{path}', json(:value)) {where}")
            connection.execute(edit, {"value": value})
        found = audit.verify(place.store).registry.differences
        fact = FACTS.get(path, path.partition(".")[0])
        assert [each.field for each in found] == [fact], (table, path)
        told = records[found[0].record - 1]
        assert told.model == ("" if table == "keys" else "m")
        with place.store._engine.begin() as connection:
            connection.execute(text(f"UPDATE {table} SET body = :body {where}"), {"body": before})
    assert place.differences() == []
    place.store.close()


async def test_a_running_rollout_that_was_hidden_from_the_controller_is_named(tmp_path: Path) -> None:
    place = await lived(tmp_path)
    with place.store._engine.begin() as connection:
        connection.execute(text("UPDATE rollouts SET active = 0"))
    (difference,) = place.differences()
    assert difference.endswith("of 'm': active is true by record 21, false in the registry")
    place.store.close()


@pytest.mark.parametrize(
    ("edit", "said"),
    [
        ("DELETE FROM keys", "key 'k': record 17 tells of it, the registry has lost it"),
        (
            "DELETE FROM versions WHERE number = 4",
            "version 4 of 'm': record 15 tells of it, the registry has lost it",
        ),
    ],
)
async def test_a_row_that_was_deleted_is_named(tmp_path: Path, edit: str, said: str) -> None:
    place = await lived(tmp_path)
    with place.store._engine.begin() as connection:
        connection.execute(text(edit))
    (difference,) = place.differences()
    assert difference.startswith(said)
    place.store.close()
