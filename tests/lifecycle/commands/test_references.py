"""A version that came without data is compared with its own first traffic."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from gateway.core.capture import Capture, CaptureBlock, blocks
from gateway.core.profile import Profile
from gateway.core.types import Role
from lifecycle.adapters.artifacts import FileArtifacts
from lifecycle.adapters.captures.log import ParquetCaptures
from lifecycle.commands.references import LiveReferences
from lifecycle.core.rollouts.plan import preset
from lifecycle.core.rollouts.rollout import Phase, Rollout
from lifecycle.core.traffic import holding
from lifecycle.core.version import Version
from lifecycle.ports import Entry
from tests.lifecycle.one_model import Registry, opened

ROWS = 50


class World:
    """One model whose version 1 serves without reference data."""

    def __init__(self, registry: Registry, home: Path) -> None:
        self.registry, self.store = registry, registry.store
        self.artifacts = FileArtifacts(str(home / "artifacts"), home / "cache")
        self.captures = ParquetCaptures(home / "captures")
        self.taken: list[tuple[str, int]] = []
        self.references = LiveReferences(
            *(self.store, self.artifacts, registry.publisher, self.captures.first),
            lambda model, number: self.taken.append((model, number)),
            ROWS,
        )

    async def traffic(self, rows: int, role: Role = Role.CHAMPION, shift: float = 0.0, each: int = 1) -> None:
        """Rows in requests of so many each."""
        x = np.random.default_rng(rows).normal(shift, 1, (rows // each, each, 4)).astype(np.float32)
        made = [
            Capture(f"{shift}-{role}-{i}", i, "m", 1, role, {"x": row}, {"y": row[:, :1]})
            for i, row in enumerate(x)
        ]
        packed: list[CaptureBlock] = blocks(made)
        self.captures.append(packed)
        self.references.count(packed)
        await self.references.tick()

    @property
    def version(self) -> Version:
        return next(version for version in self.store.versions("m") if version.number == 1)


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    with opened(tmp_path) as registry:
        model = registry.store.models()[0]
        served = replace(model, revision=model.revision + 1, champion=1, weights=((1, 100.0),))
        registry.store.commit(Entry("ann", "traffic.set", "m"), served)
        yield World(registry, tmp_path)


async def test_its_first_rows_become_its_profile_and_reach_the_workers(world: World) -> None:
    await world.traffic(ROWS - 1)
    assert (world.version.source, world.taken) == ("none", [])
    await world.traffic(30, shift=1.0)
    version = world.version
    assert (version.source, version.live_rows, world.taken) == ("live", ROWS, [("m", 1)])
    profile = Profile.from_bytes(world.artifacts.fetch(version.profile, version.profile_digest).read_bytes())
    assert {key: int(table[0].sum()) for key, table in profile.reference.items()} == {
        "inputs.x": ROWS,
        "outputs.y": ROWS,
    }
    entry = world.registry.fleet.table.models["m"].entry(1)
    assert entry is not None
    assert entry.profile_digest == version.profile_digest
    record = world.store.records("m")[-1]
    assert (record.kind, record.detail["source"], record.detail["rows"]) == ("reference.taken", "live", ROWS)


async def test_every_row_of_a_request_counts(world: World) -> None:
    await world.traffic(ROWS, each=10)
    assert (world.version.source, world.version.live_rows) == ("live", ROWS)


async def test_the_versions_that_are_followed_are_followed_to_their_end(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("lifecycle.commands.references.MOST_FOLLOWED", 1)
    await world.traffic(ROWS - 1)
    await world.traffic(30, shift=1.0)
    assert world.version.source == "live"


async def test_it_is_taken_once(world: World) -> None:
    await world.traffic(ROWS)
    before = world.version
    await world.traffic(2 * ROWS, shift=3.0)
    assert (world.version, len(world.taken)) == (before, 1)


@pytest.mark.parametrize("role", [Role.SHADOW, Role.CANARY, Role.PINNED])
async def test_only_a_champions_traffic_is_normal(world: World, role: Role) -> None:
    await world.traffic(2 * ROWS, role)
    assert world.version.source == "none"


async def test_a_rollout_is_left_alone(world: World) -> None:
    rollout = Rollout("r", "m", 2, 1, preset("quick"), 1.0, "ann")
    world.store.commit(Entry("ann", "rollout.started", "m"), rollout)
    await world.traffic(ROWS)
    assert world.version.source == "none"
    await world.traffic(0)
    world.store.commit(Entry("ann", "rollout.ended", "m"), replace(rollout, phase=Phase.PROMOTED))
    await world.traffic(ROWS, shift=0.5)
    assert world.version.source == "live"


async def test_a_change_of_traffic_under_way_is_left_alone(world: World) -> None:
    (model,) = world.store.models("m")
    world.store.commit(Entry("ann", "traffic.set.load", "m"), holding(model, {2}))
    await world.traffic(ROWS)
    assert world.version.source == "none"
