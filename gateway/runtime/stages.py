"""Notes when each run of the pool was waited for, begun and done. Inline runs pay nothing for it."""

from collections import deque
from collections.abc import Callable, Iterator
from functools import partial

from gateway.core.figures import Run, VersionKey

MOST_RUNS = 50_000
Note = Callable[[Run], None]


class StageLog:
    """Threads of the pool append, a draining thread takes; runs beyond `MOST_RUNS` push out the oldest."""

    def __init__(self) -> None:
        self._runs: deque[tuple[VersionKey, Run]] = deque(maxlen=MOST_RUNS)

    def of(self, key: VersionKey) -> Note:
        """What notes the runs of one version."""
        return partial(self._note, key)

    def _note(self, key: VersionKey, run: Run) -> None:
        self._runs.append((key, run))

    def drain(self) -> Iterator[tuple[VersionKey, Run]]:
        """What was noted since the last call."""
        for _ in range(len(self._runs)):
            yield self._runs.popleft()
