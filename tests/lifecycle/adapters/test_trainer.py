"""Training in a Ray task: what it gives, and what becomes of a recipe that fails, crashes or hangs."""

import gc
import os
import warnings
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import onnx
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from lifecycle.adapters.trainer import RayTrainer
from lifecycle.errors import LifecycleCode, LifecycleError
from lifecycle.ports import TrainingJob
from lifecycle.recipes.training import TrainingData

pytestmark = pytest.mark.e2e

HERE = "tests.lifecycle.adapters.test_trainer"


def niceness(data: TrainingData) -> bytes:
    raise ValueError(f"nice {os.nice(0)}, {len(data.labels)} rows")


def crash(data: TrainingData) -> bytes:
    os._exit(9)


def hang(data: TrainingData) -> bytes:
    import threading

    threading.Event().wait()
    return b""


@pytest.fixture(scope="module", autouse=True)
def cluster() -> Iterator[None]:
    import ray

    ray.init(
        num_cpus=1,
        include_dashboard=False,
        object_store_memory=100 << 20,
        _node_ip_address="127.0.0.1",
        log_to_driver=False,
    )
    yield
    with warnings.catch_warnings():
        # Ray drops its daemons without waiting for them; that must not count against a later test.
        warnings.simplefilter("ignore", ResourceWarning)
        ray.shutdown()
        gc.collect()


def job(folder: Path, recipe: str) -> TrainingJob:
    chance = np.random.default_rng(0)
    inputs = chance.normal(size=(60, 3)).astype(np.float32)
    table = pa.table({"inputs.x": list(inputs), "label": (inputs[:, 0] > 0).astype(np.int64)})
    pq.write_table(table, folder / "data.parquet")
    return TrainingJob("m", recipe, folder / "data.parquet", folder / "output", "a test")


async def test_training_gives_a_model_and_its_reference_data(tmp_path: Path) -> None:
    model, reference = await RayTrainer().train(job(tmp_path, "lifecycle.recipes.tabular:logistic"))
    assert [tensor.name for tensor in onnx.load(str(model)).graph.output] == ["label", "probabilities"]
    rows = pq.read_table(reference)
    assert rows.num_rows == 60
    assert rows["holdout"].to_pylist().count(True) == 20
    with pytest.raises(LifecycleError, match="nice 15, 40 rows") as caught:
        await RayTrainer().train(job(tmp_path, f"{HERE}:niceness"))
    assert caught.value.code is LifecycleCode.REFUSED


async def test_a_recipe_is_found_or_refused_without_being_called() -> None:
    await RayTrainer().find(f"{HERE}:crash")
    for recipe, complaint in (
        ("no.such:recipe", "No module named 'no'"),
        (f"{HERE}:HERE", "is not a function"),
    ):
        with pytest.raises(
            LifecycleError, match=f"{complaint}.*repair it and repeat, or leave it out"
        ) as caught:
            await RayTrainer().find(recipe)
        assert caught.value.code is LifecycleCode.REFUSED


async def test_a_recipe_that_kills_its_process_is_cut_off(tmp_path: Path) -> None:
    with pytest.raises(LifecycleError, match=r"cut off 3 times.*call the recipe by itself") as caught:
        await RayTrainer().train(job(tmp_path, f"{HERE}:crash"))
    assert caught.value.code is LifecycleCode.UNAVAILABLE
    assert not (tmp_path / "output").exists()


async def test_a_recipe_that_hangs_is_ended(tmp_path: Path) -> None:
    with pytest.raises(LifecycleError, match="took longer than"):
        await RayTrainer(timeout_s=0.5).train(job(tmp_path, f"{HERE}:hang"))
