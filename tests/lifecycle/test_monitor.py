"""The monitor over digits: silent while the scanner is well, loud once when it fades."""

import asyncio
import threading
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from gateway.core.capture import blocks
from gateway.core.profile import Profile
from gateway.core.signature import Signature, TensorSpec
from gateway.core.types import Role
from lifecycle import monitor
from lifecycle.adapters.captures.log import ParquetCaptures
from lifecycle.adapters.sql.store import SqlStore
from lifecycle.core.analysis.late import Labelled, Numbers
from lifecycle.core.analysis.metrics import MetricGuard
from lifecycle.core.history import LATE_S
from lifecycle.core.rollouts.plan import preset
from lifecycle.core.rollouts.rollout import Rollout
from lifecycle.core.stages import Stage
from lifecycle.core.verdict import Finding, Verdict
from lifecycle.core.version import Model, Version
from lifecycle.errors import LifecycleCode, LifecycleError
from lifecycle.monitor import Monitor
from lifecycle.ports import Entry
from tests.lifecycle.digits import MODEL, Served, labels_for, pages, write_model

SIGNATURE = Signature((TensorSpec("input", "FP32", (-1, 64)),), (TensorSpec("label", "INT64", (-1,)),))
VALIDATED = (Finding("accuracy", Verdict.PASS, "accuracy is 0.93", {"candidate": 0.93, "rows": 1_000.0}),)


def version(number: int) -> Version:
    return Version(
        MODEL, number, Stage.SERVING, "a", f"sha256:{number}", SIGNATURE, "ann", 1.0, evidence=VALIDATED
    )


class World:
    """A store, a capture log and a served model, with a clock that each second of traffic moves."""

    def __init__(self, folder: Path) -> None:
        self.now = 1_000.0
        self.store = SqlStore(f"sqlite:///{folder / 'registry.db'}", lambda: self.now)
        self.captures = ParquetCaptures(folder / "log")
        self.served = Served(write_model(folder / "model.onnx"))
        self.model = Model(MODEL, 1, 1.0, champion=1, weights=((1, 100.0),))
        self.store.commit(Entry("ann", "model.created", MODEL), self.model, version(1), version(2))

    async def start(self) -> None:
        """A monitor starts, for the first time or again."""
        self.monitor = Monitor(self.store, self.captures, self.profile)
        await self.monitor.observe(self.now)

    def profile(self, model: str, number: int) -> Profile | None:
        return self.served.profile

    async def traffic(
        self, seconds: int, *, faded: bool = False, labelled: bool = False, champion: int = 1
    ) -> None:
        for _ in range(seconds):
            self.now += 1
            images, digits = pages(150, faded=faded, seed=int(self.now))
            self.monitor.absorb([self.served.window(images, self.now, champion)])
            if labelled:
                captures = self.served.captures(images[:40], self.now, champion)
                self.captures.append(blocks(captures))
                self.captures.label(MODEL, labels_for(captures, digits[:40]), self.now)
            await self.monitor.observe(self.now)

    def promote(self, number: int) -> None:
        self.model = replace(
            self.model, revision=self.model.revision + 1, champion=number, weights=((number, 100.0),)
        )
        self.store.commit(Entry("ann", "promoted", MODEL), self.model)

    def written(self) -> list[str]:
        return [record.kind for record in self.store.records(MODEL) if record.actor == "monitor"]


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    world = World(tmp_path)
    await world.start()
    yield world
    world.store.close()


async def test_a_healthy_scanner_raises_nothing(world: World) -> None:
    await world.traffic(40, labelled=True)
    report = world.monitor.drift(MODEL)
    assert report is not None
    assert report.verdict is Verdict.PASS
    assert world.monitor.signals(MODEL).drift_since is None
    assert world.monitor.alarms() == {}
    assert world.monitor.signals(MODEL).fall is None
    assert world.written() == []


async def test_drift_is_looked_for_once_the_profile_is_here(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    def away(*_: object) -> Profile | None:
        raise LifecycleError(LifecycleCode.UNAVAILABLE, "not here yet")

    with monkeypatch.context() as patched:
        patched.setattr(world, "profile", away)
        await world.start()
        await world.traffic(5, faded=True)
    assert world.monitor.drift(MODEL) is None
    await world.start()
    await world.traffic(15, faded=True)
    assert list(world.monitor.alarms()) == [MODEL]


async def test_a_fading_scanner_is_told_by_its_pixels_and_once(world: World) -> None:
    await world.traffic(20)
    assert world.monitor.signals(MODEL).drift_since is None
    began = world.now
    await world.traffic(15, faded=True)
    assert list(world.monitor.alarms()) == [MODEL]
    since = world.monitor.signals(MODEL).drift_since
    assert since is not None
    assert began < since <= began + 10
    assert world.written() == ["drift.detected"]
    detail = next(r.detail for r in world.store.records(MODEL) if r.kind == "drift.detected")
    assert detail["drifted"] >= 30
    assert all(feature["name"].startswith("input[") for feature in detail["features"][:5])
    await world.traffic(20)
    assert world.monitor.signals(MODEL).drift_since is None
    assert world.written() == ["drift.detected", "drift.cleared"]


async def test_few_rows_say_nothing(world: World) -> None:
    await world.traffic(3, faded=True)
    report = world.monitor.drift(MODEL)
    assert report is not None
    assert report.verdict is Verdict.INCONCLUSIVE


async def test_labels_tell_a_fall_and_when_it_began(world: World) -> None:
    await world.traffic(10, labelled=True)
    began = world.now
    await world.traffic(10, faded=True, labelled=True)
    fall = world.monitor.signals(MODEL).fall
    assert fall is not None
    assert fall.since == pytest.approx(began + 1, abs=1.5)
    assert fall.reference == 0.93
    assert fall.value < 0.8
    assert "performance.fell" in world.written()
    performance = world.monitor.performance(MODEL)
    assert performance is not None
    cohorts = performance.as_json()["versions"][0]["cohorts"]
    assert cohorts[0]["accuracy"] > cohorts[-1]["accuracy"]
    assert cohorts[0]["coverage"] == 1.0


async def test_a_fall_that_one_delivery_of_labels_shows_is_told_at_once_and_stands_after_a_restart(
    world: World,
) -> None:
    sent = []
    for faded in (False, True):
        for _ in range(6):
            world.now += 1
            images, digits = pages(40, faded=faded, seed=int(world.now))
            captures = world.served.captures(images, world.now, 1)
            world.captures.append(blocks(captures))
            sent.append(labels_for(captures, digits))
    # The newest first: what counts is when their predictions were made.
    world.captures.label(MODEL, pa.concat_tables(reversed(sent)), world.now)
    await world.traffic(3)
    fall = world.monitor.signals(MODEL).fall
    assert fall is not None
    assert fall.since == pytest.approx(1_007, abs=1.5)
    await world.start()
    await world.traffic(3)
    assert world.monitor.signals(MODEL).fall == fall
    assert world.written() == ["performance.fell"]


async def test_labels_that_come_days_later_tell_a_fall_too(world: World) -> None:
    sent, began = [], world.now + 7
    for faded in (False, True):
        for _ in range(6):
            world.now += 1
            images, digits = pages(40, faded=faded, seed=int(world.now))
            captures = world.served.captures(images, world.now, 1)
            world.captures.append(blocks(captures))
            sent.append(labels_for(captures, digits))
    world.now += 3 * 86_400
    await world.traffic(3)
    for some in sent:
        world.captures.label(MODEL, some, world.now)
        await world.traffic(3)
    fall = world.monitor.signals(MODEL).fall
    assert fall is not None
    assert fall.since == pytest.approx(began, abs=1.5)
    performance = world.monitor.performance(MODEL)
    assert performance is not None
    assert performance.cohorts[1] == ()  # those are of the newest predictions


async def test_a_rollout_learns_what_labels_say_since_its_first_answer(world: World) -> None:
    rollout = Rollout("r", MODEL, 2, 1, preset("quick"), world.now, "ann")
    world.store.commit(Entry("ann", "rollout.start", MODEL), rollout)
    await world.traffic(10, labelled=True)
    assert world.monitor.late(rollout) is None
    began = world.now + 0.5
    rollout = replace(rollout, canary_first_at=began, splits_at=(began, began + 60))
    world.store.save(rollout)
    await world.traffic(10, labelled=True)
    late = world.monitor.late(rollout)
    assert late is not None
    ours, theirs = late.labels[0]
    assert (ours.rows, theirs.rows) == (0, 400)
    assert theirs.loss < theirs.rows / 2
    assert late.labels[1] == (Labelled(), Labelled())
    assert world.monitor.late(replace(rollout, id="another")) is None


async def test_a_rollout_learns_what_its_answers_brought_by_step(world: World) -> None:
    guard = MetricGuard("feedback.revenue", "higher", (0.0, 10.0), 1.0)
    plan = replace(preset("quick"), guard=(guard,))
    began = world.now
    splits = (began + 5, began + 15)
    rollout = Rollout("r", MODEL, 2, 1, plan, began, "ann", canary_first_at=began, splits_at=splits)
    world.store.commit(Entry("ann", "rollout.start", MODEL), rollout)
    for number, revenue in ((1, 4.0), (2, 2.0)):
        captures = world.served.captures(pages(30)[0], began + 10 * number, number)
        world.captures.append(blocks(captures))
        world.captures.label(MODEL, labels_for(captures, np.full(30, revenue)), world.now, "revenue")
    await world.traffic(2)
    late = world.monitor.late(rollout)
    assert late is not None
    assert late.kept >= 60  # what told nothing could have
    (first, second) = late.metrics["revenue"]
    assert (first[0], first[1].rows, second[0].rows, second[1]) == (Numbers(), 30, 30, Numbers())
    assert first[1].total == pytest.approx(12.0)
    assert second[0].total == pytest.approx(6.0)
    performance = world.monitor.performance(MODEL)
    assert performance is not None
    (metric,) = performance.as_json()["metrics"]
    assert [(of["version"], of["rows"], of["mean"]) for of in metric["versions"]] == [
        (1, 30, 4.0),
        (2, 30, 2.0),
    ]


async def test_a_new_champion_starts_afresh(world: World) -> None:
    await world.traffic(20, faded=True, labelled=True)
    assert world.monitor.signals(MODEL).fall is not None
    world.promote(2)
    await world.traffic(4, champion=2)
    assert world.monitor.signals(MODEL).drift_since is None
    assert world.monitor.signals(MODEL).fall is None
    assert sorted(world.written()) == [
        "drift.cleared",
        "drift.detected",
        "performance.fell",
        "performance.recovered",
    ]
    await world.traffic(6, champion=2)
    assert world.monitor.drift(MODEL) is not None


async def test_a_restart_does_not_raise_the_same_alarm_again(world: World) -> None:
    await world.traffic(20, faded=True)
    since = world.monitor.signals(MODEL).drift_since
    await world.start()
    assert world.monitor.signals(MODEL).drift_since == since
    await world.traffic(20, faded=True)
    assert world.written() == ["drift.detected"]


async def test_other_roles_and_versions_do_not_count(world: World) -> None:
    images, _ = pages(1_000, faded=True)
    world.monitor.absorb([world.served.window(images, 1_001.0, 2, Role.CANARY)])
    world.monitor.absorb([world.served.window(images, 1_001.0, 1, Role.SHADOW)])
    await world.monitor.observe(1_010.0)
    assert world.monitor.drift(MODEL) is None


def test_series_draws_the_split(world: World) -> None:
    images, _ = pages(100)
    world.monitor.absorb(
        [world.served.window(images[:90], 1_001.0), world.served.window(images[:10], 1_001.0, 2, Role.CANARY)]
    )
    (point,) = world.monitor.series(MODEL)
    assert point.share == {1: 0.9, 2: 0.1}


def test_unknown_models_are_empty(world: World) -> None:
    assert world.monitor.series("nobody") == []
    assert world.monitor.drift("nobody") is None
    assert world.monitor.performance("nobody") is None
    assert world.monitor.signals("nobody").fall is None


class SlowCaptures(ParquetCaptures):
    """Reads labels once `gate` is open, and says when it was asked to."""

    def __init__(self, root: Path) -> None:
        super().__init__(root)
        self.asked, self.gate = asyncio.Event(), threading.Event()
        self._loop = asyncio.get_running_loop()

    def made(self, model: str, since: float = 0.0, *, tensors: bool = False) -> pa.Table:
        self._loop.call_soon_threadsafe(self.asked.set)
        assert self.gate.wait(10), "what opens the gate has no turn"
        return super().made(model, since, tensors=tensors)


async def test_others_have_their_turn_while_labels_are_read(world: World, tmp_path: Path) -> None:
    captures = world.captures = SlowCaptures(tmp_path / "slow")
    await world.start()
    traffic = asyncio.create_task(world.traffic(2, labelled=True))
    await captures.asked.wait()
    assert world.monitor.performance(MODEL) is None
    captures.gate.set()
    await traffic
    assert world.monitor.performance(MODEL) is not None


async def test_a_round_over_very_many_models_goes_on_where_it_was_left(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    names = [f"model-{number}" for number in range(7)]
    for name in names:
        added = Model(name, 1, 1.0, champion=1, weights=((1, 100.0),))
        world.store.commit(Entry("ann", "test", name), added, replace(version(1), model=name))
    looked: list[str] = []

    def noted(name: str, number: int) -> Profile | None:
        looked.append(name)
        return world.profile(name, number)

    monkeypatch.setattr(monitor, "MOMENT_S", 1e-9)  # one model, and the moment is over
    watching = Monitor(world.store, world.captures, noted)
    for _ in range(8):
        await watching.observe(world.now)
    assert sorted(looked) == sorted([MODEL, *names])
    await watching.observe(world.now)
    assert len(looked) == 8, "the next round waits for its time"


def test_the_more_models_the_shorter_each_ones_history(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(monitor, "MOST_POINTS", 40)
    images, _ = pages(2)
    for second in range(60):
        for name in ("a", "b"):
            window = replace(world.served.window(images, 1_000.0 + second), model=name)
            world.monitor.absorb([window])
    assert {len(world.monitor.series(name)) for name in ("a", "b")} == {20 + LATE_S}
