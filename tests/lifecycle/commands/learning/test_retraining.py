"""From a faded scanner to a better model, with a real store, sandbox, capture log and trainer."""

import asyncio
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from gateway.core.capture import blocks
from lifecycle.adapters.artifacts import FileArtifacts
from lifecycle.adapters.captures.log import ParquetCaptures
from lifecycle.adapters.profiles import Profiles
from lifecycle.adapters.recipe import run_recipe
from lifecycle.adapters.sandbox.process import ProcessSandbox
from lifecycle.adapters.sql.store import SqlStore
from lifecycle.commands.learning.past import ACTOR
from lifecycle.commands.learning.retraining import Retraining
from lifecycle.commands.registry.intake import Submission
from lifecycle.commands.registry.models import Models
from lifecycle.commands.registry.trial import Trial
from lifecycle.commands.registry.validation import Validation
from lifecycle.core.governance.policy import AUTOMATIC, Policy
from lifecycle.core.rollouts.plan import QUICK
from lifecycle.core.rollouts.rollout import Phase, Rollout
from lifecycle.core.stages import Stage
from lifecycle.errors import LifecycleCode, LifecycleError
from lifecycle.monitor import Monitor
from lifecycle.ports import Entry, Trainer, TrainingJob
from tests.lifecycle.digits import MODEL, Served, labels_for, pages, write_model, write_reference
from tests.lifecycle.signer import Signer

RECIPE = "lifecycle.recipes.tabular:mlp"


class World:
    """A registered, serving digits model and everything that retraining needs."""

    def __init__(self, folder: Path, trainer: Trainer) -> None:
        self.folder = folder
        self.now = 1_000.0
        self.store = SqlStore(f"sqlite:///{folder / 'registry.db'}", lambda: self.now)
        self.captures = ParquetCaptures(folder / "log")
        self.artifacts = FileArtifacts(str(folder / "artifacts"), folder / "cache")
        sandbox, read = ProcessSandbox(), Profiles(self.store, self.artifacts).reference
        self.policy = AUTOMATIC
        self.models = Models(
            self.store, self.artifacts, sandbox, lambda: self.now, policy=lambda _: self.policy
        )
        trial = Trial(self.artifacts, sandbox, self.captures, read)
        self.validation = Validation(self.store, self.artifacts, self.models, trial, read)
        self.served = Served(write_model(folder / "model.onnx"))
        self.trainer = trainer
        self.deployed: list[int] = []
        self.start()

    def start(self) -> None:
        """A controller starts, for the first time or again."""
        self.monitor = Monitor(self.store, self.captures, lambda _, __: self.served.profile)
        self.retraining = Retraining(
            self.store,
            self.monitor,
            self.captures,
            self.trainer,
            self.models,
            self.deploy,
            self.folder / "work",
            reference=Profiles(self.store, self.artifacts).reference,
            clock=lambda: self.now,
        )

    async def register(self, recipe: str = RECIPE) -> None:
        reference = write_reference(self.folder / "reference.parquet")
        version = await self.models.register(
            MODEL,
            self.folder / "model.onnx",
            actor="ann",
            given=Submission(reference=reference, recipe=recipe),
        )
        await self.validation.validate(MODEL, version.number, "ann")
        version = self.models.approve(MODEL, version.number, "ann")
        model = self.models.show(MODEL)[0]
        self.store.commit(
            Entry("ann", "traffic.set", MODEL),
            replace(model, revision=model.revision + 1, champion=1, weights=((1, 100.0),)),
            replace(version, stage=Stage.SERVING),
        )

    async def deploy(self, name: str, number: int, actor: str) -> None:
        await self.validation.validate(name, number, actor)
        self.deployed.append(number)

    async def traffic(self, seconds: int, *, faded: bool, labelled: bool = True) -> None:
        for _ in range(seconds):
            self.now += 1
            images, digits = pages(150, faded=faded, seed=int(self.now))
            captures = self.served.captures(images[:60], self.now)
            self.captures.append(blocks(captures))
            self.monitor.absorb([self.served.window(images, self.now)])
            if labelled:
                self.captures.label(MODEL, labels_for(captures, digits[:60]), self.now)
            await self.monitor.observe(self.now)
            await self.retraining.tick(self.now)

    def written(self) -> list[str]:
        return [r.kind for r in self.store.records(MODEL) if r.kind.startswith("retrain.")]


class RecipeTrainer:
    """Runs the recipe in a thread of this process."""

    async def train(self, job: TrainingJob) -> tuple[Path, Path]:
        return await asyncio.to_thread(run_recipe, job)


class ReadyTrainer:
    """Has the version at hand."""

    async def train(self, job: TrainingJob) -> tuple[Path, Path]:
        job.output.mkdir(parents=True)
        artifact = job.output / "model.onnx"
        write_model(artifact, rows=3)
        return artifact, write_reference(job.output / "reference.parquet")


class StuckTrainer:
    """Trains until it is cancelled."""

    async def train(self, job: TrainingJob) -> tuple[Path, Path]:
        await asyncio.Event().wait()
        raise AssertionError(job)


@pytest.fixture
def world(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[World]:
    world = World(tmp_path, getattr(request, "param", StuckTrainer)())
    yield world
    world.store.close()


@pytest.mark.slow
@pytest.mark.parametrize("world", [RecipeTrainer], indirect=True)
async def test_labels_of_a_faded_scanner_bring_a_better_version(world: World) -> None:
    await world.register()
    await world.traffic(6, faded=False)
    assert world.retraining.status(MODEL).reason == "no loss is confirmed by labels"
    await world.traffic(12, faded=True)
    await world.retraining.settled(MODEL)
    assert world.written() == ["retrain.started", "retrain.finished"]
    assert world.deployed == [2]
    version = world.models.version(MODEL, 2)
    assert (version.submitter, version.lineage.parent, version.lineage.recipe) == (ACTOR, 1, RECIPE)
    assert version.lineage.data_digest.startswith("sha256:")
    assert "answers got worse" in version.lineage.cause
    better = Served(world.artifacts.fetch(version.artifact, version.digest))
    faded, clean = pages(500, faded=True, seed=1), pages(500, seed=2)
    assert better.accuracy(*faded) > world.served.accuracy(*faded) + 0.1
    assert better.accuracy(*clean) > world.served.accuracy(*clean) - 0.03
    assert not any((world.folder / "work").iterdir())


async def test_drift_without_labels_trains_nothing(world: World) -> None:
    await world.register()
    await world.traffic(16, faded=True, labelled=False)
    status = world.retraining.status(MODEL)
    assert world.monitor.signals(MODEL).drift_since is not None
    assert status.reason == "inputs drift, but no loss is confirmed by labels"
    assert world.written() == []


async def test_what_a_person_took_back_gives_retraining_a_rest(world: World) -> None:
    await world.register()
    await world.traffic(6, faded=False)
    split = {"champion": 1, "weights": {"1": 100.0}}
    world.store.commit(Entry("ann", "traffic.rollback", MODEL, split))
    await world.traffic(12, faded=True)
    assert world.written() == []
    assert "cooling down for 1" in world.retraining.status(MODEL).reason
    world.now += 120
    await world.retraining.tick(world.now)
    assert world.written() == ["retrain.started"]
    await asyncio.sleep(0)
    await world.retraining.close()
    for number in (2, 3):
        trained = replace(world.models.version(MODEL, 1), number=number, submitter=ACTOR)
        rollout = Rollout(str(number), MODEL, number, 1, QUICK, world.now, ACTOR, phase=Phase.PROMOTED)
        served = {"champion": number, "weights": {str(number): 100.0}}
        world.store.commit(Entry("controller", "rollout.promote", MODEL, served), trained, rollout)
        world.store.commit(Entry("ann", "traffic.rollback", MODEL, split))
    world.now += 2
    await world.retraining.tick(world.now)
    assert "2 retrained versions in a row were rolled back" in world.retraining.status(MODEL).reason


async def test_one_training_at_a_time_and_a_lost_one_is_known(world: World) -> None:
    await world.register()
    await world.retraining.start(MODEL, "", "ann")
    with pytest.raises(LifecycleError, match="wait for the training under way") as caught:
        await world.retraining.start(MODEL, "", "ann")
    assert caught.value.code is LifecycleCode.CONFLICT
    await world.retraining.close()
    assert world.written() == ["retrain.started"]
    world.start()
    await world.retraining.tick(world.now)
    assert world.written() == ["retrain.started", "retrain.lost"]
    await world.retraining.start(MODEL, "again", "ann")
    assert world.retraining.status(MODEL).started == (1_000.0, 1_000.0)
    await world.retraining.close()


@pytest.mark.parametrize("world", [RecipeTrainer], indirect=True)
async def test_a_recipe_that_fails_is_recorded_with_its_error(world: World) -> None:
    await world.register("lifecycle.recipes.tabular:none")
    await world.retraining.start(MODEL, "", "ann")
    await world.retraining.settled(MODEL)
    assert world.written() == ["retrain.started", "retrain.failed"]
    assert "cannot be imported" in world.store.records(MODEL)[-1].detail["reason"]
    assert len(world.models.show(MODEL)[1]) == 1


async def test_what_cannot_be_trained_is_said(world: World) -> None:
    with pytest.raises(LifecycleError, match="no model"):
        await world.retraining.start(MODEL, "", "ann")
    await world.register(recipe="")
    with pytest.raises(LifecycleError, match="no recipe") as caught:
        await world.retraining.start(MODEL, "", "ann")
    assert caught.value.code is LifecycleCode.INVALID


@pytest.mark.parametrize("world", [ReadyTrainer], indirect=True)
async def test_what_must_be_signed_is_signed_or_not_trained(world: World) -> None:
    await world.register()
    signer = Signer(world.folder, "retraining")
    world.policy = Policy(signed=True, trusted=(str(signer.public),))
    with pytest.raises(LifecycleError, match="retraining_key") as caught:
        await world.retraining.start(MODEL, "", "ann")
    assert caught.value.code is LifecycleCode.CONFLICT
    world.policy = replace(world.policy, key=str(signer.key))
    await world.retraining.start(MODEL, "", "ann")
    await world.retraining.settled(MODEL)
    assert world.written() == ["retrain.started", "retrain.finished"]
    signature = world.models.version(MODEL, 2).package_signature
    assert signature is not None
    assert signature.signer == signer.public.name
