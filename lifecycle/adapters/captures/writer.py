"""Hands captures to their log beside the control loop: a full or slow disk must not keep a bad version from
being rolled back."""

import asyncio
import logging
from collections.abc import Callable, Sequence

from gateway.core.capture import CaptureBlock
from lifecycle.adapters.captures.log import ParquetCaptures

log = logging.getLogger(__name__)

MOST_WAITING = 40
"""Batches that may wait for the disk, about 10 s of them; what comes beyond is lost."""


class CaptureWriter:
    """A queue of batches, and the one thread at a time that writes them.

    Args:
        written: is told of every batch once the log has it, in a thread.
    """

    def __init__(self, captures: ParquetCaptures, written: Callable[[Sequence[CaptureBlock]], None]) -> None:
        self._captures = captures
        self._written = written
        self._waiting: asyncio.Queue[Sequence[CaptureBlock]] = asyncio.Queue(MOST_WAITING)

    def add(self, batch: Sequence[CaptureBlock]) -> None:
        """Returns at once."""
        try:
            self._waiting.put_nowait(batch)
        except asyncio.QueueFull:
            _lost(batch, "the disk does not keep up")

    async def run(self) -> None:
        """Write batches as they come, until cancelled."""
        while True:
            await asyncio.to_thread(self._write, await self._waiting.get())
            self._waiting.task_done()

    async def finish(self) -> None:
        """Wait until `run` has written all that was added, then write what the log still holds in memory."""
        await self._waiting.join()
        await asyncio.to_thread(self._captures.flush)

    def _write(self, batch: Sequence[CaptureBlock]) -> None:
        try:
            self._captures.append(batch)
            self._written(batch)
        except Exception as error:
            # One bad batch must not end the capture of all others.
            _lost(batch, str(error), exc_info=not isinstance(error, OSError))


def _lost(batch: Sequence[CaptureBlock], why: str, *, exc_info: bool = False) -> None:
    log.error("%d captures are lost: %s", sum(len(block.ids) for block in batch), why, exc_info=exc_info)
