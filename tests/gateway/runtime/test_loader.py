import asyncio
import hashlib
import time
from collections.abc import AsyncIterator, Callable, Coroutine
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from gateway.config import Serving
from gateway.core.placement import Placement
from gateway.core.profile import Profile
from gateway.core.routing import VersionEntry
from gateway.core.types import Array
from gateway.errors import ErrorCode, GatewayError
from gateway.ports import LoadedVersion
from gateway.runtime.loader import Loader
from gateway.runtime.session import Session

Write = Callable[..., VersionEntry]
ROW: dict[str, Array] = {"x": np.zeros((1, 30), np.float32)}


@pytest.fixture
async def loader(tmp_path: Path) -> AsyncIterator[Loader]:
    loader = Loader(tmp_path / "cache", Serving(threads=1, queue=8, max_run_s=0.2))
    yield loader
    await loader.close()


def suspends(run: Coroutine[Any, Any, dict[str, Array]]) -> bool:
    """Whether a first step of the run does not answer."""
    try:
        run.send(None)
    except StopIteration:
        return False
    run.close()
    return True


async def test_a_cheap_version_answers_inline_without_suspending(
    loader: Loader, written: Write, logistic: bytes
) -> None:
    version = await loader.load("m", written(logistic))
    assert not suspends(version.run(ROW, (), 0))
    assert (await version.run(ROW, (), 0))["label"].shape == (1,)


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


async def test_many_rows_of_it_go_to_the_pool_with_the_same_answer(
    loader: Loader, written: Write, logistic: bytes
) -> None:
    inline = await loader.load("m", replace(written(logistic), placement=Placement.INLINE))
    pooled = await loader.load("m", replace(written(logistic), placement=Placement.POOL))
    rows = {"x": np.random.default_rng(0).normal(size=(20, 30)).astype(np.float32)}
    assert suspends(pooled.run(rows, (), 0))
    one, other = await inline.run(rows, (), 0), await pooled.run(rows, (), 0)
    assert one["probabilities"] == pytest.approx(other["probabilities"])


async def test_a_costly_version_goes_to_the_pool_by_itself(
    loader: Loader, written: Write, slow: bytes
) -> None:
    version = await loader.load("m", written(slow))
    assert suspends(version.run({"x": np.zeros((1, 256), np.float32)}, (), 0))


async def test_a_version_with_loops_cannot_hold_the_worker_up(
    loader: Loader, written: Write, endless: bytes
) -> None:
    version = await loader.load("m", written(endless))
    with pytest.raises(GatewayError) as caught:
        await version.run({"x": np.full((1, 1), 2, np.float32)}, (), 0)
    assert caught.value.code is ErrorCode.DEADLINE


async def test_rows_that_must_not_be_joined_run_apart(loader: Loader, written: Write, blend: bytes) -> None:
    version = await loader.load("m", replace(written(blend), placement=Placement.POOL))
    answers = await asyncio.gather(
        *(version.run({"x": np.full((1, 1), value, np.float32)}, (), 0) for value in range(4))
    )
    assert [answer["y"].item() for answer in answers] == [0, 0, 0, 0]


async def test_a_late_request_does_not_run_inline(loader: Loader, written: Write, logistic: bytes) -> None:
    version = await loader.load("m", written(logistic))
    with pytest.raises(GatewayError) as caught:
        await version.run(ROW, (), time.monotonic_ns() - 1)
    assert caught.value.code is ErrorCode.DEADLINE


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


async def test_a_version_is_in_use_while_runs_go_on_that_began_before_it_was_renewed(
    written: Write, endless: bytes, tmp_path: Path
) -> None:
    loader = Loader(tmp_path / "cache", Serving(threads=1, max_run_s=60))
    entry = written(endless)
    before = await loader.load("m", entry)
    running = asyncio.create_task(before.run({"x": np.full((1, 1), 2, np.float32)}, (), 0))
    await asyncio.sleep(0)
    after = await loader.load("m", replace(entry, artifact="elsewhere"))
    assert after is not before
    assert after.running == 1
    running.cancel()
    await asyncio.wait({running})
    assert after.running == 0
    await loader.close()


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
