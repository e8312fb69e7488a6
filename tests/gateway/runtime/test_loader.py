import asyncio
import hashlib
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from gateway.config import Serving
from gateway.core.batching import Batching
from gateway.core.placement import Device, Placement
from gateway.core.profile import Profile
from gateway.core.routing import VersionEntry
from gateway.core.types import Array
from gateway.errors import ErrorCode, GatewayError
from gateway.ports import LoadedVersion
from gateway.runtime.loader import Loader
from gateway.runtime.session import Session, cuda_starts
from tests.gateway.runtime.running import ROW, suspends

Write = Callable[..., VersionEntry]


async def test_a_dedicated_version_runs_where_it_is_found_or_else_here(
    loader: Loader, written: Write, logistic: bytes, tmp_path: Path
) -> None:
    class Elsewhere:
        async def load(self, model: str, entry: VersionEntry) -> LoadedVersion:
            asked.append((model, entry.version))
            return here

        def unload(self, model: str, version: LoadedVersion) -> None: ...

    asked: list[tuple[str, int]] = []
    entry = replace(written(logistic), placement=Placement.DEDICATED)
    here = await loader.load("m", entry)
    assert suspends(here.run(ROW, (), 0))
    knowing = Loader(tmp_path / "cache", Serving(), dedicated=Elsewhere())
    assert await knowing.load("m", entry) is here
    assert asked == [("m", 1)]
    await knowing.close()


@pytest.mark.skipif(not cuda_starts(), reason="needs a GPU and onnxruntime-gpu")
async def test_a_convolution_on_a_gpu_runs_on_one_number_of_rows_and_answers_as_on_the_cpu(
    written: Write, convolution: bytes, tmp_path: Path
) -> None:
    loader = Loader(tmp_path / "cache", Serving(), gpu=True)
    entry = replace(written(convolution), placement=Placement.POOL)
    version = await loader.load("m", entry)
    assert version.device is Device.GPU
    assert version.batching is not Batching.OFF
    near = Session(convolution, entry.signature)
    rng = np.random.default_rng(0)
    for rows in (1, 8, 21):
        inputs = {"x": rng.normal(size=(rows, 8, 16, 16)).astype(np.float32)}
        answer = await version.run(inputs, (), 0)
        assert answer["y"] == pytest.approx(near.run(inputs, ())["y"], rel=1e-4, abs=1e-4)
    await loader.close()


async def test_the_loop_goes_on_while_a_version_loads(loader: Loader, written: Write, slow: bytes) -> None:
    loading = asyncio.create_task(loader.load("m", written(slow)))
    turns = 0
    while not loading.done():
        await asyncio.sleep(0)
        turns += 1
    assert turns > 10


async def test_the_profile_comes_with_the_version_and_outlives_it_a_while(
    loader: Loader, written: Write, logistic: bytes, tmp_path: Path
) -> None:
    profile = Profile.of(ROW, {}).to_bytes()
    (tmp_path / "profile").write_bytes(profile)
    digest = f"sha256:{hashlib.sha256(profile).hexdigest()}"
    entry = replace(written(logistic), profile=str(tmp_path / "profile"), profile_digest=digest)
    version = await loader.load("m", entry)
    held = loader.profile("m", 1)
    assert held is not None
    assert held.keys() == ("inputs.x",)
    assert loader.profile("m", 2) is None
    loader.unload("m", version)
    assert loader.profile("m", 1) is held


async def test_a_version_without_a_profile_has_none(loader: Loader, written: Write, logistic: bytes) -> None:
    await loader.load("m", written(logistic))
    assert loader.profile("m", 1) is None


async def test_what_cannot_be_read_is_internal_without_a_path(
    loader: Loader, written: Write, logistic: bytes, tmp_path: Path
) -> None:
    entry, gone, digest = written(logistic), str(tmp_path / "gone"), f"sha256:{'0' * 64}"
    no_model = replace(entry, artifact=gone, digest=digest)
    no_profile = replace(entry, profile=gone, profile_digest=digest)
    for broken in (no_model, no_profile):
        with pytest.raises(GatewayError) as caught:
            await loader.load("m", broken)
        assert caught.value.code is ErrorCode.INTERNAL
        assert str(tmp_path) not in caught.value.message


async def test_a_broken_model_is_internal(loader: Loader, written: Write, logistic: bytes) -> None:
    signature = written(logistic).signature
    for junk in (b"junk", logistic[: len(logistic) // 2]):
        with pytest.raises(GatewayError) as caught:
            await loader.load("m", written(junk, signature=signature))
        assert caught.value.code is ErrorCode.INTERNAL


async def test_a_version_that_is_loaded_again_is_warmed_and_not_measured(
    loader: Loader, written: Write, logistic: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    entry = written(logistic)
    first = await loader.load("m", entry)
    loader.unload("m", first)
    runs: list[int] = []
    run = Session.run

    def counted(*arguments: Any) -> dict[str, Array]:
        runs.append(1)
        return run(*arguments)

    monkeypatch.setattr(Session, "run", counted)
    again = await loader.load("m", entry)
    assert len(runs) == 1
    assert (again.size_bytes > 0, suspends(again.run(ROW, (), 0))) == (True, False)


async def test_a_served_version_gets_a_profile(
    loader: Loader, written: Write, logistic: bytes, tmp_path: Path
) -> None:
    entry = written(logistic)
    before = await loader.load("m", entry)
    assert loader.profile("m", 1) is None
    rows = {"x": np.random.default_rng(0).normal(size=(50, 30)).astype(np.float32)}
    data = Profile.of(rows, {}).to_bytes()
    (tmp_path / "profile").write_bytes(data)
    digest = f"sha256:{hashlib.sha256(data).hexdigest()}"
    renewed = replace(entry, profile=str(tmp_path / "profile"), profile_digest=digest)
    after = await loader.load("m", renewed)
    loader.unload("m", before)
    assert after.entry is renewed
    assert loader.profile("m", 1) is not None
    assert (await after.run(ROW, (), 0))["label"].shape == (1,)
