"""The accuracy of a champion without labels: followed, told, and an alarm when it falls."""

from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from gateway.core.capture import Capture, blocks
from gateway.core.signature import Signature, TensorSpec
from gateway.core.types import Array, Role
from lifecycle.adapters.captures.log import ParquetCaptures
from lifecycle.adapters.sql.store import SqlStore
from lifecycle.core.estimation.expectation import Method
from lifecycle.core.inspection import Answers
from lifecycle.core.performance.answers import Measure
from lifecycle.core.stages import Stage
from lifecycle.core.version import Model, Version
from lifecycle.estimates import Estimates
from lifecycle.ports import Entry

SIGNATURE = Signature((TensorSpec("x", "FP32", (-1, 1)),), (TensorSpec("p", "FP32", (-1, 2)),))


def version(number: int) -> Version:
    return Version("m", number, Stage.SERVING, "a", f"sha256:{number}", SIGNATURE, "ann", 1.0)


class World:
    """A model that is sure far from 0 and doubts near it; its reference is spread over [-3, 3]."""

    def __init__(self, folder: Path) -> None:
        self.now = 1_000.0
        self.store = SqlStore(f"sqlite:///{folder / 'registry.db'}", lambda: self.now)
        self.captures = ParquetCaptures(folder / "log")
        self.model = Model("m", 1, 1.0, champion=1, weights=((1, 100.0),))
        self.store.commit(Entry("ann", "model.created", "m"), self.model, version(1), version(2))
        self.rng = np.random.default_rng(0)
        self.labels: type[np.int64] | type[np.float64] | None = np.int64
        self.asked: list[int] = []
        self.probable, self.numbers = True, False
        self.estimates = Estimates(self.store, self.captures, self.answer)

    def answered(self, x: Array) -> dict[str, Array]:
        if self.numbers:
            return {"y": np.asarray(5 * x, np.float32)[:, None]}
        score = 1 / (1 + np.exp(-3 * x)) if self.probable else 5 * x
        return {"p": np.stack([1 - score, score], axis=1).astype(np.float32)}

    async def answer(self, asked: Version) -> Answers:
        self.asked.append(asked.number)
        x = self.rng.uniform(-3, 3, 2_000)
        outputs = self.answered(x)
        if self.numbers:  # it is further off the further x is from 0
            numbers = 5 * x + (0.5 + np.abs(x)) * self.rng.normal(size=2_000)
            return Answers({"x": x[:, None].astype(np.float32)}, outputs, labels=numbers)
        chance = np.asarray(outputs["p"][:, 1], np.float64)
        truth = (self.rng.random(2_000) < chance).astype(self.labels) if self.labels else None
        return Answers({"x": x[:, None].astype(np.float32)}, outputs, labels=truth)

    async def traffic(self, looks: int, within: float = 3.0, champion: int = 1, beyond: float = 0.0) -> None:
        for _ in range(looks):
            made = []
            for _ in range(400):
                self.now += 0.1
                x = self.rng.uniform(beyond, within, 1) * self.rng.choice([-1, 1])
                tensors = {"x": x[:, None].astype(np.float32)}, self.answered(x)
                made.append(Capture(str(self.now), self.now, "m", champion, Role.CHAMPION, *tensors))
            self.captures.append(blocks(made))
            self.estimates.observe(self.now)
            await self.estimates.finish()

    def written(self) -> list[str]:
        return [record.kind for record in self.store.records("m") if record.actor == "monitor"]


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    made = World(tmp_path)
    yield made
    made.store.close()


async def test_steady_traffic_is_as_accurate_as_the_reference(world: World) -> None:
    await world.traffic(3)
    series = world.estimates.series("m")
    assert [estimate.rows for estimate in series][1:] == [400, 400]
    for estimate in series:
        assert estimate.low < 0.92 < estimate.high
        assert estimate.method is Method.CBPE
    assert world.written() == []
    assert world.asked == [1]


async def test_harder_traffic_is_told_once_and_once_when_it_is_over(world: World) -> None:
    await world.traffic(2)
    await world.traffic(3, within=0.4)
    assert world.estimates.fell_at("m") is not None
    assert list(world.estimates.fallen()) == ["m"]
    assert world.estimates.series("m")[-1].high < 0.8
    assert world.written() == ["estimate.fell"]
    await world.traffic(3)
    assert world.estimates.fell_at("m") is None
    assert world.estimates.fallen() == {}
    assert world.written() == ["estimate.fell", "estimate.recovered"]
    detail = next(r.detail for r in world.store.records("m") if r.kind == "estimate.fell")
    assert detail["version"] == 1
    assert detail["accuracy"] < detail["reference"]


async def test_traffic_that_the_reference_lacks_is_not_judged(world: World) -> None:
    await world.traffic(3, within=9.0)
    last = world.estimates.series("m")[-1]
    assert last.method is Method.NONE
    assert "where the reference has none" in last.reason
    assert last.as_json()["accuracy"] is None
    assert world.written() == []


@pytest.mark.parametrize("labels", [None, np.float64])
async def test_without_classes_as_labels_there_is_no_estimate(
    world: World, labels: type[np.float64] | None
) -> None:
    world.labels = labels
    await world.traffic(2)
    assert world.estimates.series("m") == ()
    assert world.asked == [1]


async def test_a_model_without_probabilities_is_never_run_on_its_reference(world: World) -> None:
    world.probable = False
    await world.traffic(2)
    assert world.estimates.series("m") == ()
    assert world.asked == []


async def test_a_new_champion_starts_afresh(world: World) -> None:
    await world.traffic(2)
    changed = replace(world.model, revision=2, champion=2, weights=((2, 100.0),))
    world.store.commit(Entry("ann", "promoted", "m"), changed)
    await world.traffic(1)
    assert world.estimates.series("m") == ()
    await world.traffic(2, champion=2)
    assert len(world.estimates.series("m")) == 2
    assert world.asked == [1, 2]


async def test_the_error_of_numbers_is_estimated_and_told_of_when_it_should_be_larger(world: World) -> None:
    world.numbers = True
    await world.traffic(2)
    for estimate in world.estimates.series("m"):
        assert (estimate.measure, estimate.method) == (Measure.MAE, Method.DLE)
        assert estimate.low < 2.0 * (2 / np.pi) ** 0.5 < estimate.high
    assert world.written() == []
    await world.traffic(3, beyond=2.0)
    assert world.estimates.fell_at("m") is not None
    assert world.written() == ["estimate.fell"]
    detail = next(r.detail for r in world.store.records("m") if r.kind == "estimate.fell")
    assert detail["mae"] > 1.2 * detail["reference"]
