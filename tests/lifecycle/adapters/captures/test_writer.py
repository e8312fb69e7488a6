"""Captures on their way to the disk: none is held up by another, and the loop by none."""

import asyncio
import contextlib
import threading
from collections.abc import AsyncIterator, Iterable
from pathlib import Path

import numpy as np
import pytest

from gateway.core.capture import Capture, CaptureBlock, blocks
from gateway.core.types import Role
from lifecycle.adapters.captures.log import ParquetCaptures
from lifecycle.adapters.captures.writer import MOST_WAITING, CaptureWriter


def captured(prediction: str) -> list[CaptureBlock]:
    tensors = {"input": np.zeros((1, 4), np.float32)}
    return blocks([Capture(prediction, 1.0, "m", 1, Role.CHAMPION, tensors, {"label": np.arange(1)})])


@contextlib.asynccontextmanager
async def running(writer: CaptureWriter) -> AsyncIterator[None]:
    task = asyncio.create_task(writer.run())
    try:
        yield
    finally:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task


async def test_what_still_waits_is_written_in_the_end(tmp_path: Path) -> None:
    log, told = ParquetCaptures(tmp_path), list[str]()
    writer = CaptureWriter(log, lambda batch: told.extend(block.ids[0] for block in batch))
    async with running(writer):
        for prediction in "abc":
            writer.add(captured(prediction))
        await writer.finish()
    assert told == ["a", "b", "c"]
    assert ParquetCaptures(tmp_path).made("m").num_rows == 3


async def test_a_batch_that_cannot_be_written_is_told_and_the_next_one_is_written(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "model=m").write_text("in the way")
    log = ParquetCaptures(tmp_path, buffer_rows=1)
    writer = CaptureWriter(log, lambda _: None)
    async with running(writer):
        writer.add(captured("a"))
        with contextlib.suppress(OSError):
            await writer.finish()
        assert "1 captures are lost" in caplog.text
        (tmp_path / "model=m").unlink()
        writer.add(captured("b"))
        await writer.finish()
    assert log.find("b") is not None


class StuckDisk(ParquetCaptures):
    """Takes nothing before it is let go."""

    def __init__(self, root: Path) -> None:
        super().__init__(root)
        self.go = threading.Event()

    def append(self, blocks: Iterable[CaptureBlock]) -> None:
        self.go.wait(10)
        super().append(blocks)


async def test_a_stuck_disk_costs_captures_and_nobody_waits_for_it(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    disk = StuckDisk(tmp_path)
    writer = CaptureWriter(disk, lambda _: None)
    async with running(writer):
        writer.add(captured("first"))
        await asyncio.sleep(0)  # it is in the disk's hands
        for number in range(MOST_WAITING + 1):
            writer.add(captured(f"p{number}"))
        assert caplog.text.count("the disk does not keep up") == 1
        assert disk.labels_count("m") == 0  # what the control loop asks does not wait either
        disk.go.set()
        await writer.finish()
    assert disk.made("m").num_rows == MOST_WAITING + 1
