"""When a worker that has grown makes way for a new one: one at a time, while all others answer, and no more.

More answer during an upgrade, which replaces them all. To Serve a worker that makes way has failed, and an
upgrade whose new workers fail several times is given up.
"""

import fcntl
import os
from pathlib import Path

import psutil

from gateway.server.neighbours import Neighbours


class Recycling:
    """One worker's view of it.

    Args:
        others: neighbours that there are when no upgrade is under way.
        above_mb: resident memory from which a worker makes way; 0: never.
    """

    def __init__(self, run_dir: Path, neighbours: Neighbours, others: int, above_mb: int) -> None:
        self._run_dir = run_dir
        self._neighbours = neighbours
        self._others = others
        self._above = above_mb * 2**20
        self._process = psutil.Process()
        self._turn: int | None = None

    async def due(self) -> bool:
        """Whether this worker is to end now. Once it is, it stays so."""
        if self._turn is not None:
            return True
        if not self._above or self._process.memory_info().rss <= self._above or not self._take_turn():
            return False
        ready = 0
        try:
            ready = len(await self._neighbours.get("/v2/health/ready"))
        finally:  # also when Serve gives the question up: a turn that is kept says that it is to end
            if ready != self._others:
                self._give_turn_back()
        return self._turn is not None

    def _take_turn(self) -> bool:
        # A file lock: it ends with the process, when the worker has drained.
        turn = os.open(self._run_dir / "recycling.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(turn, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(turn)
            return False
        self._turn = turn
        return True

    def _give_turn_back(self) -> None:
        if self._turn is not None:
            os.close(self._turn)
            self._turn = None
