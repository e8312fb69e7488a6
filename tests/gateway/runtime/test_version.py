import asyncio
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from gateway.config import Serving
from gateway.core.placement import Placement
from gateway.core.routing import VersionEntry
from gateway.errors import ErrorCode, GatewayError
from gateway.runtime.loader import Loader
from gateway.runtime.placement import INLINE_BUDGET_NS
from tests.gateway.runtime.running import ROW, suspends

Write = Callable[..., VersionEntry]


async def test_a_cheap_version_answers_inline_without_suspending(
    loader: Loader, written: Write, logistic: bytes
) -> None:
    version = await loader.load("m", written(logistic))
    assert not suspends(version.run(ROW, (), 0))
    assert (await version.run(ROW, (), 0))["label"].shape == (1,)
    assert version.placed.placement is Placement.INLINE
    assert 0 < version.placed.run_ns < INLINE_BUDGET_NS


async def test_many_rows_go_to_the_pool_with_the_same_answer(
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
    assert version.placed.placement is Placement.POOL
    assert version.placed.run_ns > INLINE_BUDGET_NS


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
